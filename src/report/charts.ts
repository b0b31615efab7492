import { type Html, h } from './html.ts';

/** One line of a chart of curves; `null` where it has no value. */
export interface Curve {
  readonly label: string;
  readonly color: string;
  readonly width?: number;
  readonly values: readonly (number | null)[];
}

/** A dot: how good, at what cost. */
export interface Point {
  readonly label: string;
  readonly color: string;
  readonly cost: number;
  readonly accuracy: number;
}

interface Common {
  /** Of the box it is drawn in, once on a page. */
  readonly id: string;
  /** Above the box. */
  readonly heading?: string | undefined;
  /** Of the horizontal axis. */
  readonly label: string;
}

export interface Curves extends Common {
  readonly kind: 'curves';
  readonly x: readonly number[];
  readonly curves: readonly Curve[];
  /** Between the ticks of the horizontal axis. */
  readonly steps?: readonly number[];
  readonly height: number;
  /** A legend whose entries hide and show their curve. */
  readonly legend: boolean;
  /** Mark the values too. */
  readonly dots: boolean;
}

export interface Scatter extends Common {
  readonly kind: 'scatter';
  readonly points: readonly Point[];
  /** Those that no other beats in both, joined by a line and named. */
  readonly front: readonly Point[];
}

/** What assets/charts.js draws; each kind is a function there. */
export type Chart = Curves | Scatter;

/** The steps of an axis of epochs. */
export const epochSteps: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200];

/** Where a chart is drawn. */
export const chartBox = ({ id, heading }: Common): Html =>
  h('div', { class: 'chart', id }, heading === undefined ? null : h('h3', {}, heading));

/** Several beside each other, as far as the page is wide. @param className for wider ones */
export const chartBoxes = (charts: readonly Chart[], className = ''): Html =>
  h('div', { class: `charts ${className}`.trim() }, charts.map(chartBox));
