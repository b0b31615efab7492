import { expect, test } from 'vitest';
import { methods } from '../methods/table.ts';
import { packTopology } from './untrained.ts';

const binaryOps = ['xnorConv2d', 'xnorConv2dThreshold', 'planesConv2d', 'signConv2d'];

test.each(methods)(
  '$id: an untrained network is what the method makes of it at its end',
  ({ id, bits, floatPacked, structure }) => {
    const { model } = packTopology('resnet20', id, 1 / 4);
    const ops = model.graph.nodes.flatMap((node) => ('kernel' in node && node.kernel[0] === 3 ? [node.op] : []));
    const [binary, floats] = [ops.filter((op) => binaryOps.includes(op)), ops.filter((op) => op === 'conv2d')];
    if (floatPacked) expect([binary.length, floats.length]).toEqual([0, 19]);
    else {
      expect(binary.length).toBeGreaterThanOrEqual(18);
      // signs by floats: all layers, or the first one by pixels
      const pixels = (structure.firstLast ?? 'float') !== 'float';
      expect(binary.includes('signConv2d')).toBe(bits.activation === 32 || pixels);
    }
  },
);
