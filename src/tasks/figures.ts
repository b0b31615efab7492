/** A number that says how good a network is, as logs and pages call it. */
export interface FigureName {
  /** In camel case: a log has it as `testAccuracy` and `validationAccuracy`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  readonly better: 'higher' | 'lower';
  /** Of 1; shown in per cent. */
  readonly isShare?: boolean | undefined;
  /** Says little where there are fewer classes: pages leave it out then. */
  readonly fromClasses?: number | undefined;
}

/** With where a result has it. */
export interface Figure<R> extends FigureName {
  /** Its value in a result. */
  of(result: R): number;
}

/** Figures by their names. */
export type Figures = Readonly<Record<string, number>>;

export const figuresOf = <R>(figures: readonly Figure<R>[], result: R): Figures =>
  Object.fromEntries(figures.map((figure) => [figure.name, figure.of(result)]));

/** `accuracy` of the test images -> `testAccuracy` */
export const loggedAs = (images: 'train' | 'validation' | 'test', name: string): string =>
  images + name.charAt(0).toUpperCase() + name.slice(1);

/** As a log has them. */
export const logged = (images: 'train' | 'validation' | 'test', figures: Figures): Figures =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [loggedAs(images, name), value]));

/** Whether one value of a figure is better than another; NaN is worse than any number. */
export function isBetter({ better }: Pick<FigureName, 'better'>, value: number, than: number): boolean {
  if (Number.isNaN(value) || Number.isNaN(than)) return !Number.isNaN(value);
  return better === 'higher' ? value > than : value < than;
}

/** `91.20 %`, `0.1234` */
export const figureText = ({ isShare }: Pick<FigureName, 'isShare'>, value: number): string =>
  isShare ? `${(100 * value).toFixed(2)} %` : value.toPrecision(4);
