/** `signum-bnn/data`: data sets, batches and image decoding. */
export { type Augmentation, type Batch, Batches, type Pass } from './batches.ts';
export { loadCifar10, loadCifar100, parseCifarBatch } from './cifar.ts';
export { cifar10Classes } from './cifar-pictures.ts';
export type { DataSet, FileSplit, PixelSplit, Split } from './dataset.ts';
export { digestOf } from './digest.ts';
export { loadFolder } from './folder.ts';
export { readIdx } from './idx.ts';
export { decodeImage } from './images.ts';
export type { LoadOptions } from './load-options.ts';
export { type Loader, openLoader } from './loader.ts';
export { loadFashionMnist, loadMnist } from './mnist.ts';
export type { UnusedFile } from './picture-files.ts';
export { dataSets, loadDataSet } from './table.ts';
