/** `signum/data`: data sets, batches and image decoding. */
export { type Augmentation, type Batch, Batches } from './batches.ts';
export { cifar10Classes, loadCifar10, loadCifar100, parseCifarBatch } from './cifar.ts';
export type { DataSet, Split } from './dataset.ts';
export { loadFolder } from './folder.ts';
export { readIdx } from './idx.ts';
export { decodeImage } from './images.ts';
export { type Loader, openLoader, type Pass } from './loader.ts';
export { loadFashionMnist, loadMnist } from './mnist.ts';
export { dataSets, loadDataSet } from './table.ts';
