// What the command line takes of yours: one default export, with a list for each kind of value. As a package of its own it is installed, and called
// by its name.
//   npx signum-bnn train --plugin ./plugin/index.mjs --model ramped --method steep --data stripes --name striped
//   npx signum-bnn pack runs/striped --plugin ./plugin/index.mjs
import { definePlugin } from 'signum-bnn';
import { spots, stripes } from './data.mjs';
import { steep } from './method.mjs';
import { ramped } from './network.mjs';
import { packedRamp, packRamp } from './op.mjs';
import { pointing } from './task.mjs';

export default definePlugin({
  methods: [steep],
  models: [ramped],
  ops: [packRamp],
  packedOps: [packedRamp],
  data: [stripes, spots],
  tasks: [pointing],
});
