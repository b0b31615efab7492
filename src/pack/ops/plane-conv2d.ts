import { PackError } from '../../core/errors.ts';
import { codeLevels } from '../../runtime/ops/code-levels.ts';
import { codePlane } from '../../runtime/ops/code-plane.ts';
import { planesConv2d } from '../../runtime/ops/planes-conv2d.ts';
import { type PlaneTensor, type SignFilter, SignTensor } from '../../tensor/tensor.ts';
import { isOp } from '../draft.ts';
import {
  type ConvAttributes,
  convFieldsOf,
  defineTranslation,
  nodeOf,
  stored,
  storedSigns,
  type Trace,
} from '../translation.ts';

type Traced = Trace<ConvAttributes & { scale: Float32Array }, readonly [PlaneTensor, SignFilter]>;

/** One node per bit-plane of the input, which reads what the levels were made from, then the product. */
export const planeConv2d = defineTranslation(
  'planeConv2d',
  'computes',
  ({ attributes: { geometry, scale }, inputs: [x, filter] }: Traced, at) => {
    const levels = at.producer(at.inputs[0]!)!;
    if (!isOp(levels, codeLevels))
      throw new PackError(`pack: "${at.name}" multiplies bit-planes that no levels are made of`);
    const [thresholds, patterns] = [levels.node.thresholds, levels.node.patterns].map(
      (name) => levels.tensors.get(name)!,
    );
    const codes = { thresholds: thresholds!, patterns: patterns!, levels: levels.node.levels };
    const planes = x.planes.map((words, plane) =>
      nodeOf(
        codePlane,
        {
          name: `${at.name}.plane${plane}`,
          inputs: levels.node.inputs,
          output: at.output + plane,
          expected: new SignTensor(words, x.shape),
        },
        { ...codes, plane },
      ),
    );
    const product = { ...at, inputs: planes.map(({ node }) => node.output), output: at.output + planes.length };
    const fields = { ...convFieldsOf(geometry), filter: storedSigns(filter, geometry), scale: stored(scale) };
    return [...planes, nodeOf(planesConv2d, product, fields)];
  },
);
