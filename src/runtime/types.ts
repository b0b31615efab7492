import { FormatError, ShapeError } from '../core/errors.ts';
import { quoted } from '../core/printable.ts';
import { formatShape, sizeOf } from '../core/shape.ts';
import type { StoredGraph } from './graph.ts';
import { alike, type PackedOp, type StoredNode, type ValueType } from './op.ts';

/** Values of one activation per image: a file must not make us allocate without bound. */
const mostElements = 2 ** 27;

/** A node's output, as it follows from its op, its fields and its inputs. */
function typeOf(node: StoredNode, op: PackedOp, inputs: readonly ValueType[]): ValueType {
  const fail = (what: string) => new FormatError(`node ${quoted(node.name)} (${op.op}) ${what}`);
  const [least, most] = [op.least ?? op.takes.length, op.takes.length];
  if (inputs.length < least || inputs.length > most)
    throw fail(`has ${inputs.length} inputs, needs ${least === most ? least : `${least} to ${most}`}`);
  const other = inputs.findIndex(({ kind }, i) => kind !== op.takes[i]);
  if (other >= 0) throw fail(`needs ${op.takes[other] === 'signs' ? 'packed signs' : op.takes[other]} as input`);
  const shapes = inputs.map(({ shape }) => shape);
  const from = shapes.map(formatShape).join(' and ');
  const shape = op.shape(node, shapes);
  const claim = node.shape ?? shape;
  if (!shape || !alike(claim!, shape)) throw fail(`cannot give ${claim ? formatShape(claim) : 'a value'} from ${from}`);
  const { rows } = inputs[0]!;
  if (!op.rows && inputs.some((input) => input.rows !== rows))
    throw fail(
      `has inputs of ${inputs.map((input) => input.rows).join(' and ')} rows for an image, needs as many in each`,
    );
  const type: ValueType = { shape, kind: op.gives, rows: op.rows?.(node, inputs) ?? rows };
  if (!(Number.isInteger(type.rows) && type.rows > 0)) throw fail(`cannot give ${type.rows} rows for an image`);
  const values = type.rows * sizeOf(shape);
  if (!(values <= mostElements))
    throw fail(`has ${values} values per image, more than any model here (${mostElements})`);
  return type;
}

/**
 * Types of all values of a graph; the inputs come first.
 *
 * @throws FormatError naming the first node that does not fit what it reads
 */
export function valueTypes(graph: StoredGraph, ops: ReadonlyMap<string, PackedOp>): Map<number, ValueType> {
  const types = new Map<number, ValueType>(
    graph.inputs.map(({ shape, rows = 1 }, i) => [i, { shape, kind: 'floats', rows }]),
  );
  for (const node of graph.nodes) {
    const inputs = node.inputs.map((id) => {
      const type = types.get(id);
      if (!type) throw new FormatError(`node ${quoted(node.name)} reads value ${id} before it is computed`);
      return type;
    });
    if (types.has(node.output)) throw new FormatError(`node ${quoted(node.name)} writes value ${node.output} twice`);
    try {
      types.set(node.output, typeOf(node, ops.get(node.op)!, inputs));
    } catch (error) {
      // what does not fit is the file's fault here
      throw error instanceof ShapeError ? new FormatError(error.message) : error;
    }
  }
  for (const { name, value } of graph.outputs)
    if (value < graph.inputs.length || types.get(value)?.kind !== 'floats')
      throw new FormatError(`the output ${quoted(name)} is value ${value}, which no node computes as floats`);
  return types;
}
