// Classifies pictures with a trained network of the zoo, or with your own file.
//   node predict.mjs [model] picture...      in a project with signum-bnn and @signum-bnn/zoo; a model ends in .safetensors

import { fileURLToPath } from 'node:url';
import { load } from 'signum-bnn';

const asked = process.argv.slice(2);
const source = asked[0]?.endsWith('.safetensors') ? asked.shift() : 'zoo:lfc-bnn-mnist';
const pictures = asked.length > 0 ? asked : [fileURLToPath(new URL('seven.png', import.meta.url))];

const model = await load(source);
for (const picture of pictures) {
  const [best] = await model.predict(picture, { top: 3 });
  console.log(picture, best.map(({ label, probability }) => `${label} ${(100 * probability).toFixed(1)} %`).join(', '));
}
