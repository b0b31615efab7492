import protobuf from 'protobufjs';
import { randomFloats } from './harness.ts';

/** The few messages of onnx.proto3 that convolutional networks need. */
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
const types = { i: 2, ints: 7 } as const;

type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** A float network, node by node; weights are named as they are given. */
export class OnnxGraph {
  private readonly nodes: object[] = [];
  private readonly weights: object[] = [];

  /** @returns the name of the node's output */
  add(op: string, input: readonly string[], attributes: Attributes = {}): string {
    const output = `${op}-${this.nodes.length}`;
    const attribute = Object.entries(attributes).map(([name, value]) => {
      const kind = typeof value === 'number' ? 'i' : 'ints';
      return { name, [kind]: value, type: types[kind] };
    });
    this.nodes.push({ input, output: [output], op_type: op, attribute });
    return output;
  }

  /** @returns the tensor's name */
  weight(dims: readonly number[], values: Float32Array): string {
    const name = `weight-${this.weights.length}`;
    this.weights.push({ name, data_type: float, dims, raw_data: new Uint8Array(values.buffer) });
    return name;
  }

  /** The model's file. @param input shape of `x`; @param output the last node and its shape */
  encode(input: readonly number[], [output, shape]: readonly [string, readonly number[]]): Uint8Array {
    const value = (name: string, dims: readonly number[]) => ({
      name,
      type: { tensor_type: { elem_type: float, shape: { dim: dims.map((dim_value) => ({ dim_value })) } } },
    });
    return schema
      .lookupType('Model')
      .encode({
        ir_version: 8,
        opset_import: [{ domain: '', version: 13 }],
        graph: {
          name: 'network',
          node: this.nodes,
          initializer: this.weights,
          input: [value('x', input)],
          output: [value(output, shape)],
        },
      })
      .finish();
  }

  /** A 1x1 or 3x3 convolution that keeps the size at stride 1. @param weights random where they are not given */
  conv(x: string, [kernel, from, to]: readonly [number, number, number], stride = 1, weights?: Float32Array): string {
    const values = weights ?? randomFloats(kernel * kernel * from * to);
    const pad = kernel >> 1;
    return this.add('Conv', [x, this.weight([to, from, kernel, kernel], values)], {
      pads: [pad, pad, pad, pad],
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
    });
  }
}

/** One float 3x3 convolution, [1,C,S,S] -> [1,C,S,S], padding 1. */
export function onnxConv(size: number, channels: number, weights: Float32Array): Uint8Array {
  const graph = new OnnxGraph();
  const shape = [1, channels, size, size];
  return graph.encode(shape, [graph.conv('x', [3, channels, channels], 1, weights), shape]);
}

/** One dense layer with random weights, [1,inputs] -> [1,outputs]. */
export function onnxDense(inputs: number, outputs: number): Uint8Array {
  const graph = new OnnxGraph();
  const weights = graph.weight([inputs, outputs], randomFloats(inputs * outputs));
  return graph.encode([1, inputs], [graph.add('MatMul', ['x', weights]), [1, outputs]]);
}

/** ResNet-20 in float with random weights and batch-norms folded, [1,3,32,32] -> [1,10]. */
export function onnxResNet20(): Uint8Array {
  const graph = new OnnxGraph();
  let x = graph.add('Relu', [graph.conv('x', [3, 3, 16])]);
  let from = 16;
  for (const to of [16, 16, 16, 32, 32, 32, 64, 64, 64]) {
    const stride = to / from;
    const shortcut = stride === 1 ? x : graph.conv(x, [1, from, to], stride);
    const inner = graph.add('Relu', [graph.conv(x, [3, from, to], stride)]);
    x = graph.add('Relu', [graph.add('Add', [graph.conv(inner, [3, to, to]), shortcut])]);
    from = to;
  }
  const pooled = graph.add('Flatten', [graph.add('GlobalAveragePool', [x])]);
  return graph.encode(
    [1, 3, 32, 32],
    [graph.add('MatMul', [pooled, graph.weight([64, 10], randomFloats(640))]), [1, 10]],
  );
}
