/** What is drawn on an image, in pixels of the input; right and wrong ones have another colour. */
export type Mark =
  | {
      readonly kind: 'box';
      readonly left: number;
      readonly top: number;
      readonly width: number;
      readonly height: number;
      readonly text?: string | undefined;
      readonly isRight?: boolean | undefined;
    }
  | {
      readonly kind: 'point';
      readonly x: number;
      readonly y: number;
      readonly text?: string | undefined;
      readonly isRight?: boolean | undefined;
    };

/** A picture beside the image, such as what a network made of it. */
export interface Beside {
  readonly title: string;
  readonly width: number;
  readonly height: number;
  /** Bytes [H,W,C], C 1 or 3. */
  readonly pixels: Uint8Array;
}

/** Words of a line; those with a `name` stand out. */
export type Word = string | { readonly name: string };

/** An image of the test set as pages show it: plain shapes, whatever the task. */
export interface Drawing {
  /** Of the image, in the split. */
  readonly place: number;
  /** In one phrase, for those who do not see it. */
  readonly alt: string;
  readonly lines: readonly (readonly Word[])[];
  readonly marks?: readonly Mark[];
  readonly beside?: readonly Beside[];
}
