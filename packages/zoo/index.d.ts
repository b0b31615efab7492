/** A trained network, `zoo:<id>` for `load`, `signum predict`, `eval`, and `--init` where it has float weights. */
export interface ZooNetwork {
  readonly id: string;
  readonly model: string;
  /** Of all channel counts. */
  readonly width: number;
  readonly method: string;
  readonly bits: { readonly weight: number; readonly activation: number };
  readonly data: string;
  readonly classes: readonly string[];
  /** Height, width and channels of the images. */
  readonly input: readonly [number, number, number];
  /** On the test images, packed, after the last epoch: 0..1. */
  readonly accuracy: number;
  /** Whether the test images were those that were published; of data sets of which that is known. */
  readonly originalPixels?: boolean;
  readonly epochs: number;
  /** Of the packed file. */
  readonly bytes: number;
  /** Of the file with float weights, to start trainings from; null where it is left out for its size. */
  readonly latentBytes: number | null;
  /** Of the paper whose method it is. */
  readonly paper: string;
  readonly license: string;
  /** What trains it. */
  readonly command: string;
}

export const networks: readonly ZooNetwork[];
