import type { Tensor } from '../tensor/tensor.ts';
import type { BinarizeContext } from './context.ts';
import type { LayerOwn, OutputMap, Quantizer } from './quantizer.ts';
import { learning } from './quantizer.ts';

/** Name of the flag that a layer keeps once it is fitted. */
export const fittedFlag = 'fitted';
/** Schedule value of methods in training that wait for their fit; networks without a schedule are quantized at once. */
const waits = 'waitsForFit';

/** The schedule of a method with a layer-wise fit; at its end a network is quantized, whatever happened. */
export const waitForFit = ({ progress }: { readonly progress: number }) => ({ [waits]: progress < 1 ? 1 : 0 });

const isWaiting = (context: BinarizeContext, { kept }: LayerOwn): boolean =>
  context.value(waits, 0) === 1 && kept[fittedFlag]![0] === 0;

/** Passes weights unchanged until the layer is fitted, then quantizes. */
export function onceFitted<Out>(quantizer: Quantizer<Out>): Quantizer<Out | Tensor> {
  return learning(
    (layer) => {
      const { learned = {}, kept = {} } = quantizer.start?.(layer) ?? {};
      return { learned, kept: { ...kept, [fittedFlag]: new Float32Array(1) } };
    },
    (w, context, own) => (isWaiting(context, own) ? w : quantizer(w, context, own)),
  );
}

/** An output map that is the identity until the layer is fitted. */
export function mapOnceFitted(map: OutputMap): OutputMap {
  const apply: OutputMap = (y, context, own, input) => (isWaiting(context, own) ? y : map(y, context, own, input));
  return map.start ? Object.assign(apply, { start: map.start }) : apply;
}
