import { PackError } from '../../core/errors.ts';
import { codeLevels } from '../../runtime/ops/code-levels.ts';
import { codePlane } from '../../runtime/ops/code-plane.ts';
import { planesConv2d } from '../../runtime/ops/planes-conv2d.ts';
import { type PlaneTensor, type SignFilter, SignTensor } from '../../tensor/tensor.ts';
import { isOp } from '../draft.ts';
import { type ConvAttributes, convFieldsOf, defineTranslation, nodeOf, stored, storedSigns } from '../translation.ts';

type Attributes = ConvAttributes & { scale: Float32Array };
type Inputs = readonly [PlaneTensor, SignFilter];

/** One node per bit-plane of the input, which reads what the levels were made from, then the product. */
export const planeConv2d = defineTranslation(
  'planeConv2d',
  'computes',
  (given: Attributes, at, [x, filter]: Inputs) => {
    const source = at.producer(at.inputs[0]!);
    if (!source || !isOp(source, codeLevels))
      throw new PackError(`pack: "${at.name}" multiplies bit-planes that no levels are made of`);
    const [thresholds, patterns] = [source.node.thresholds, source.node.patterns].map(
      (name) => source.tensors.get(name)!,
    );
    const codes = { thresholds: thresholds!, patterns: patterns!, levels: source.node.levels };
    const planes = x.planes.map((words, plane) => {
      const expected = new SignTensor(words, x.shape);
      const place = {
        name: `${at.name}.plane${plane}`,
        inputs: source.node.inputs,
        output: at.output + plane,
        expected,
      };
      return nodeOf(codePlane, place, { ...codes, plane });
    });
    const { geometry: g, scale } = given;
    const product = { ...at, inputs: planes.map(({ node }) => node.output), output: at.output + planes.length };
    const fields = { ...convFieldsOf(g), filter: storedSigns(filter, g), scale: stored(scale) };
    return [...planes, nodeOf(planesConv2d, product, fields)];
  },
);
