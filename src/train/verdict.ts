export { verdictOn } from '../tasks/classification.ts';
