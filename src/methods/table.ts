import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { biReal } from './bi-real.ts';
import { binaryConnect, binaryConnectStochastic } from './binary-connect.ts';
import { bnn, bnnIdentity, bnnStochastic } from './bnn.ts';
import { bwn } from './bwn.ts';
import { dorefa, dorefaNet } from './dorefa.ts';
import { float } from './float.ts';
import { irNet, irNetResnet20 } from './ir-net.ts';
import type { Method } from './method.ts';
import { xnorNet, xnorNetNoK } from './xnor-net.ts';

/** Every method, in the order of the survey. */
export const methods: readonly Method[] = [
  float,
  binaryConnect,
  binaryConnectStochastic,
  bnn,
  bnnIdentity,
  bnnStochastic,
  bwn,
  xnorNet,
  xnorNetNoK,
  dorefa,
  dorefaNet({ weight: 1, activation: 1 }),
  dorefaNet({ weight: 1, activation: 2 }),
  dorefaNet({ weight: 1, activation: 2, gradient: 6 }),
  dorefaNet({ weight: 2, activation: 2 }),
  biReal,
  irNet,
  irNetResnet20,
];

/** @throws UsageError naming the nearest known method */
export function methodNamed(id: string): Method {
  const method = methods.find((candidate) => candidate.id === id);
  if (method) return method;
  throw new UsageError(
    `unknown method "${id}"${suggestion(
      id,
      methods.map((m) => m.id),
    )}; \`signum methods\` lists all`,
  );
}
