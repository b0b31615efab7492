import type { AnyModule } from '../nn/module.ts';
import { withOwners } from '../nn/owners.ts';
import { type TapeNode, traced } from '../tensor/tape.ts';
import { PlaneTensor, SignTensor, type Tensor } from '../tensor/tensor.ts';
import type { OutputNames, Outputs } from './outputs.ts';

/**
 * What a layer is called everywhere: policies, reports, packed files. Its path in the network without what all paths share:
 * `body.layers.3.first.conv` is `3.first`.
 */
export const layerName = (path: string): string =>
  path
    .replace(/^body\.?/, '')
    .replaceAll(/layers\./g, '')
    .replace(/\.conv$/, '');

/** A network, which policies name layers of. */
interface Speaking extends AnyModule {
  outputs(images: Tensor, head?: OutputNames): Outputs;
}

/** Ops that depend on the image, in order; all others are constants. */
function imageOps(nodes: readonly TapeNode[], image: Tensor): TapeNode[] {
  const reached = new Set<Tensor>([image]);
  return nodes.filter(({ inputs, output }) => inputs.some((input) => reached.has(input)) && reached.add(output));
}

/** The first product of a layer has its name; all else is `<module>.<op>`, from the second of a name on with `#2`, `#3`... */
function namesOf(network: AnyModule, nodes: readonly TapeNode[]): Map<TapeNode, string> {
  const paths = new Map<unknown, string>(network.modules().map(({ name, value }) => [value, layerName(name)]));
  const products = new Map<unknown, string>();
  const counts = new Map<string, number>();
  return new Map(
    nodes.map((node) => {
      const { op, owner, product } = node;
      const path = paths.get(owner) ?? '';
      if (product && !products.has(owner)) products.set(owner, op);
      const base = path && products.get(owner) === op ? path : [path, op].filter(Boolean).join('.');
      const count = (counts.get(base) ?? 0) + 1;
      counts.set(base, count);
      return [node, count === 1 ? base : `${base}#${count}`];
    }),
  );
}

/** The layer that a product is of: `3.first` of `3.first` and `3.first#2`. */
export const productLayer = (name: string): string => name.replace(/#\d+$/, '');

/** The first op whose output holds NaN or infinity; signs and codes are always finite. */
export function firstNotFinite(
  names: ReadonlyMap<TapeNode, string>,
): { name: string; op: string; value: number } | null {
  for (const [{ op, output }, name] of names) {
    if (output instanceof SignTensor || output instanceof PlaneTensor) continue;
    const value = output.data.find((each) => !Number.isFinite(each));
    if (value !== undefined) return { name, op, value };
  }
  return null;
}

/**
 * Runs a network keeping every op, and hands those that depend on the images to `read`, with their names, before storage is released.
 *
 * @param images normalised, [N,H,W,C]
 * @param head names the outputs
 */
export function tracedByName<R>(
  network: Speaking,
  images: Tensor,
  head: OutputNames | undefined,
  read: (outputs: Outputs, names: ReadonlyMap<TapeNode, string>, nodes: readonly TapeNode[]) => R,
): R {
  return traced<Outputs, R>(
    () => withOwners(network, () => network.outputs(images, head)),
    (outputs, nodes) => read(outputs, namesOf(network, imageOps(nodes, images)), nodes),
  );
}
