/** `signum-bnn/data`: data sets, batches and image decoding. */
export { type Augmentation, type Batch, Batches, type Mixture, type Pass } from './batches.ts';
export { loadCifar10, loadCifar100, parseCifarBatch } from './cifar.ts';
export { cifar10Classes } from './cifar-pictures.ts';
export { type DataSet, type FileSplit, type PixelSplit, pixelStatistics, type Split } from './dataset.ts';
export { digestOf } from './digest.ts';
export { loadFolder } from './folder.ts';
export { readIdx } from './idx.ts';
export { decodeImage } from './images.ts';
export type { LoadOptions } from './load-options.ts';
export { type Loader, openLoader } from './loader.ts';
export { loadFashionMnist, loadMnist } from './mnist.ts';
export type { UnusedFile } from './picture-files.ts';
export type { Placement, Size } from './placement.ts';
export { pixelUnder, toInput } from './placement.ts';
export { type DataEntry, dataSets, loadDataSet } from './table.ts';
export {
  type Column,
  checkTruth,
  type Labels,
  type Mover,
  type MoverAddress,
  type Ragged,
  ragged,
  type Truth,
  type TruthField,
  type TruthPlace,
  type Truths,
  type Values,
} from './truth.ts';
export { boxesOfImage } from './truths/boxes.ts';
export { classOfImage, classTruth } from './truths/classes.ts';
export { maskOfImage, unknownClass } from './truths/mask.ts';
export { pictureOfImage } from './truths/picture.ts';
export { tagsOfImage } from './truths/tags.ts';
