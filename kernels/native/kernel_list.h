// Written by src/backend/kernel-lists.testing.ts from the tables in src/backend: change those.
#pragma once

// X(kernel, types of its arguments...)
#define SIGNUM_TABLE_KERNELS(X) \
  X(sgemm, int, int, int, int, int, Floats, Floats, int, Floats) \
  X(conv2d, Floats, Floats, Floats, Ints) \
  X(conv2dBackwardInput, Floats, Floats, Floats, Ints) \
  X(conv2dBackwardFilter, Floats, Floats, Floats, Ints) \
  X(conv2dSigns, Floats, Words, Floats, Floats, Ints) \
  X(conv2dBackwardInputSigns, Floats, Words, Floats, Floats, Ints) \
  X(conv2dBackwardFilterSigns, Words, Floats, Floats, Ints, int) \
  X(packSigns, Floats, Words, int, int) \
  X(packAffineSigns, Floats, Floats, Floats, Words, int, int) \
  X(packWithin, Floats, float, float, Words, int, int) \
  X(unpackSigns, Words, Floats, int, int) \
  X(maskBits, Floats, Words, Floats, int, int) \
  X(packFilterSigns, Floats, Words, int, int, int) \
  X(prepareXnorFilter, Words, Words, Ints) \
  X(xnorGemm, Words, Words, Ints, int, int, int) \
  X(xnorConv2d, Words, Words, Ints, Ints, int) \
  X(xnorConv2dScaled, Words, Words, Floats, Floats, Floats, Floats, Ints, int) \
  X(xnorConv2dThreshold, Words, Words, Ints, Ints, Words, Ints, int) \
  X(channelMoments, Floats, Floats, Floats, int, int) \
  X(channelAffine, Floats, Floats, Floats, Floats, float, float, Floats, int, int) \
  X(batchNormBackward, Floats, Floats, Floats, Floats, int, float, float, float, float, Floats, Floats, Floats, Floats, Floats, Floats, Floats, int, int) \
  X(columnSums, Floats, Floats, int, int) \
  X(columnAbsSums, Floats, Floats, int, int) \
  X(columnDots, Floats, Floats, Floats, int, int) \
  X(rowAbsMeans, Floats, Floats, int, int) \
  X(rowScale, Floats, Floats, Floats, int, int) \
  X(rowDots, Floats, Floats, Floats, int, int) \
  X(copyBlocks, Floats, Floats, Ints) \
  X(maxPool, Floats, Floats, Ints, Ints) \
  X(maxPoolBackward, Floats, Ints, Floats, Ints) \
  X(avgPool, Floats, Floats, Ints) \
  X(avgPoolBackward, Floats, Floats, Ints) \
  X(unary, int, Floats, Floats) \
  X(unaryBackward, int, Floats, Floats, Floats, float, float) \
  X(maskWithin, Floats, Floats, float, float, Floats) \
  X(prelu, Floats, Floats, Floats, int, int) \
  X(preluBackward, Floats, Floats, Floats, Floats, Floats, int, int) \
  X(add, Floats, Floats, Floats) \
  X(multiply, Floats, Floats, Floats) \
  X(blend, Floats, float, float, Floats) \
  X(clamp, Floats, float, float) \
  X(sgdStep, Floats, Floats, Floats, float, float, float, int) \
  X(adamStep, Floats, Floats, Floats, Floats, float, float, float, float, float, float, float) \
  X(adamaxStep, Floats, Floats, Floats, Floats, float, float, float, float, float, float) \
  X(rmspropStep, Floats, Floats, Floats, float, float, float, float)

// Words of geometries, in their order: X(field)
#define SIGNUM_CONV_FIELDS(X) \
  X(batch) X(height) X(width) X(in_channels) X(kernel_height) X(kernel_width) X(out_channels) X(stride) X(pad) X(dilation) X(groups) X(out_height) X(out_width)
#define SIGNUM_POOL_FIELDS(X) \
  X(batch) X(height) X(width) X(channels) X(window) X(stride) X(pad) X(out_height) X(out_width)

enum UnaryOp { kRelu, kHardtanh, kSigmoid, kTanh, kSoftsign, kClipSte, kTriangle, kTanhSte, kTanhWithin, kSoftsignSte, kSwishSign, kUnaryOps };
