import protobuf from 'protobufjs';

/** The few messages of onnx.proto3 that one Conv node needs. */
const schema = protobuf.parse(
  `
syntax = "proto3";
message Attribute { string name = 1; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; repeated Attribute attribute = 5; }
message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Dimension { int64 dim_value = 1; }
message TensorShape { repeated Dimension dim = 1; }
message TensorType { int32 elem_type = 1; TensorShape shape = 2; }
message Type { TensorType tensor_type = 1; }
message ValueInfo { string name = 1; Type type = 2; }
message Graph { repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated ValueInfo input = 11; repeated ValueInfo output = 12; }
message Opset { string domain = 1; int64 version = 2; }
message Model { int64 ir_version = 1; Graph graph = 7; repeated Opset opset_import = 8; }`,
  { keepCase: true },
).root;

const float = 1;
const ints = 7;

/** An ONNX model of one float 3x3 convolution, [1,C,S,S] -> [1,C,S,S], padding 1. */
export function onnxConv(size: number, channels: number, weights: Float32Array): Uint8Array {
  const value = (name: string) => ({
    name,
    type: {
      tensor_type: { elem_type: float, shape: { dim: [1, channels, size, size].map((dim_value) => ({ dim_value })) } },
    },
  });
  return schema
    .lookupType('Model')
    .encode({
      ir_version: 8,
      opset_import: [{ domain: '', version: 13 }],
      graph: {
        name: 'conv',
        node: [
          {
            input: ['x', 'w'],
            output: ['y'],
            op_type: 'Conv',
            attribute: [
              { name: 'pads', ints: [1, 1, 1, 1], type: ints },
              { name: 'kernel_shape', ints: [3, 3], type: ints },
            ],
          },
        ],
        initializer: [
          { name: 'w', data_type: float, dims: [channels, channels, 3, 3], raw_data: new Uint8Array(weights.buffer) },
        ],
        input: [value('x')],
        output: [value('y')],
      },
    })
    .finish();
}
