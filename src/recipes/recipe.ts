import type { TrainOptions } from '../train/config.ts';

/** Options of a training by recipe; `init` and `teacher` may name another recipe, whose run is meant. */
export type RecipeTraining = Omit<TrainOptions, 'epochs' | 'batch'> & Partial<Pick<TrainOptions, 'epochs' | 'batch'>>;

/** How a row of a paper is trained, as a value. */
export interface Recipe {
  /** `<model>-<method>-<data>`; also the name of its run. */
  readonly id: string;
  /** What differs from the method's own values, which are its reference's, or has none there: model, data, augmentation. */
  readonly training: RecipeTraining;
  /** Test accuracy of the paper's or its code's last word, 0..1; absent where nobody published this row. */
  readonly published?: number;
  /** Who says so, and where. */
  readonly source: string;
  /** What is not as the reference has it. */
  readonly deviations?: string;
  /** Ours: test accuracy of the last epoch, packed, 0..1, and the folder of its log. */
  readonly measured?: { readonly accuracy: number; readonly log: string };
}

export const defineRecipe = (recipe: Recipe): Recipe => recipe;

/** Said in each recipe: a method may train without any by itself. */
export { shiftedAndMirrored as cifarAugmentation } from '../data/table.ts';
