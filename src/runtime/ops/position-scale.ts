import { withMap } from '../position.ts';

/** x[n, ...] map[...]: the same factors for every image */
export const positionScale = withMap('positionScale', 'multiply');
