/** What an author of a packed op needs beside `definePackedOp` (docs/own-op.md). */
export { finite, flag, list, oneOf, optional, positive, record, text, whole } from '../core/fields.ts';
export { convCost, convFields, convOf } from './conv.ts';
export { binary, elementwise, factorFor, floatWork, free, keepsOutput, nothing, toSigns } from './elementwise.ts';
export {
  asImage,
  type Cost,
  channelsOf,
  count,
  type Fields,
  index,
  lengthOf,
  type Memory,
  maybeTensor,
  type NodeOf,
  type Place,
  pixelsOf,
  type StoredNode,
  shape,
  tensor,
  type Value,
  type ValueKind,
  type ValueType,
  type Work,
} from './op.ts';
export type { ModelTensors } from './tensors.ts';
