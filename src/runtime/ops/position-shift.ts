import { withMap } from '../position.ts';

/** x[n, ...] + map[...]: the same summands for every image */
export const positionShift = withMap('positionShift', 'add');
