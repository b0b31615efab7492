export { beginCall } from './workspace';
export { maskBits, packAffineSigns, packFilterSigns, packSigns, packWithin, unpackSigns } from './bits';
export { prepareXnorFilter, xnorConv2d, xnorConv2dScaled, xnorConv2dThreshold, xnorGemm } from './xnor';
export { sgemm } from './gemm';
export {
  conv2d, conv2dBackwardFilter, conv2dBackwardFilterSigns, conv2dBackwardInput, conv2dBackwardInputSigns, conv2dSigns,
} from './conv';
export {
  batchNormBackward, channelAffine, channelMoments, columnAbsSums, columnDots, columnSums, prelu, preluBackward, rowAbsMeans, rowDots, rowScale,
} from './channels';
export { copyBlocks } from './copying';
export { avgPool, avgPoolBackward, maxPool, maxPoolBackward } from './pooling';
export {
  adamaxStep, adamStep, add, blend, clamp, maskWithin, multiply, rmspropStep, sgdStep, unary, unaryBackward,
} from './elementwise';

/** First byte the binding may use for arguments: beyond the objects made at start-up; nothing is allocated afterwards. */
export function heapStart(): usize {
  return heap.alloc(16);
}

/** Which build this is, for the binding's report. */
export const relaxedSimd: bool = ASC_FEATURE_RELAXED_SIMD;
