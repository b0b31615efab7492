import { list, type Reader, record, whole } from '../core/fields.ts';

const any: Reader<unknown> = (value) => value;
const fields = Object.fromEntries(
  ['model', 'method', 'width', 'input', 'classes', 'mean', 'std', 'output', 'floatBytes'].map((key) => [key, any]),
);
const read = record({ ...fields, nodes: list(record({ shape: list(whole(1, 1 << 24), 1, 4) }), 1, 10_000) });

/**
 * The graph of a file of version 2, which had one picture as input and classes as output, as version 3 writes it. Nodes claimed their
 * shapes, and some said their channels only so.
 */
export function upgraded(graph: unknown): unknown {
  const { input, mean, std, classes, output, ...rest } = read(graph, '') as Record<string, unknown>;
  const nodes = (graph as { readonly nodes: readonly { readonly shape: readonly number[] }[] }).nodes;
  const resize = { fit: 'cover', filter: 'lanczos3', background: [0, 0, 0] };
  return {
    ...rest,
    inputs: [{ name: 'image', shape: input, picture: { mean, std, resize } }],
    outputs: [{ name: 'logits', value: output }],
    task: { id: 'classification', settings: { classes } },
    head: { id: 'classifier', settings: {} },
    nodes: nodes.map((node) => ({ channels: node.shape.at(-1), ...node })),
  };
}
