import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { abBnn } from './ab-bnn.ts';
import { abcNetOf } from './abc-net.ts';
import { adaBin } from './ada-bin.ts';
import { apprenticeA, apprenticeB, apprenticeC } from './apprentice.ts';
import { bbg } from './bbg.ts';
import { bcgd, bcgdOneBit } from './bcgd.ts';
import { biReal } from './bi-real.ts';
import { binaryConnect, binaryConnectFloatTest, binaryConnectStochastic } from './binary-connect.ts';
import { biper } from './biper.ts';
import { bitwise, bitwiseSparse } from './bitwise.ts';
import { bnn, bnnIdentity, bnnShift, bnnStochastic } from './bnn.ts';
import { bnnDl } from './bnn-dl.ts';
import { bnnPlus, bnnPlusSquared } from './bnn-plus.ts';
import { bop } from './bop.ts';
import { bwn } from './bwn.ts';
import { bwnh } from './bwnh.ts';
import { cbcn } from './cbcn.ts';
import { ciBcnn } from './ci-bcnn.ts';
import { dbnn } from './dbnn.ts';
import { defensiveQuantization } from './defensive-quantization.ts';
import { differentiableQuantization, quantizedDistillation } from './distillation-quantization.ts';
import { dorefa, dorefaNet } from './dorefa.ts';
import { dsq } from './dsq.ts';
import { earlier } from './earlier.ts';
import { elbnn } from './elbnn.ts';
import { fdaBnn } from './fda-bnn.ts';
import { float } from './float.ts';
import { formNamed } from './forms.ts';
import { groupNet, groupNetBpac, groupNetGroupwise, groupNetLayerwise } from './group-net.ts';
import { horq } from './horq.ts';
import { hwgq, hwgqOneBit } from './hwgq.ts';
import { inq, inqBinary } from './inq.ts';
import { int8Training } from './int8-training.ts';
import { irNet, irNetResnet20 } from './ir-net.ts';
import { itBnn } from './it-bnn.ts';
import { lab, lab2 } from './lab.ts';
import { lcrBnn } from './lcr-bnn.ts';
import { lqNet } from './lq-nets.ts';
import { mainSubsidiary } from './main-subsidiary.ts';
import { metaQuant, metaQuantFcGrad } from './meta-quant.ts';
import { type Method, methodFor, revisionOf } from './method.ts';
import { ovsw } from './ovsw.ts';
import { pactNet } from './pact.ts';
import { proxQuant } from './prox-quant.ts';
import { quantizationNetworks } from './quantization-networks.ts';
import { rbnn, rbnnCode } from './rbnn.ts';
import { reactNet } from './react-net.ts';
import { realToBinary } from './real-to-binary.ts';
import { rebnn } from './rebnn.ts';
import { recu } from './recu.ts';
import { selfBinarizing } from './self-binarizing.ts';
import { semiBinary } from './semi-binary.ts';
import { siman } from './siman.ts';
import { guidedTraining, stepping } from './stepping.ts';
import { syq, syqLayer, syqRow } from './syq.ts';
import { trainedScaling } from './trained-scaling.ts';
import { tsq, tsqOneBit } from './tsq.ts';
import { wrpnNet } from './wrpn.ts';
import { xnorNet, xnorNetCode, xnorNetNoK } from './xnor-net.ts';
import { xnorNetPlusPlus, xnorNetPlusPlusForms } from './xnor-net-plus-plus.ts';

/** Every method, in the order of the survey. */
export const methods: readonly Method[] = [
  float,
  binaryConnect,
  binaryConnectStochastic,
  binaryConnectFloatTest,
  bitwise,
  bitwiseSparse,
  bnn,
  bnnIdentity,
  bnnStochastic,
  bnnShift,
  bwn,
  xnorNet,
  xnorNetNoK,
  xnorNetCode,
  dorefa,
  dorefaNet({ weight: 1, activation: 1 }),
  dorefaNet({ weight: 1, activation: 2 }),
  dorefaNet({ weight: 1, activation: 2, gradient: 6 }),
  dorefaNet({ weight: 2, activation: 2 }),
  horq,
  abcNetOf(3, 3),
  abcNetOf(1, 1),
  tsq,
  tsqOneBit,
  bwnh,
  pactNet(4),
  pactNet(2),
  lqNet(1, 2),
  lqNet(2, 2),
  wrpnNet(2, 1),
  wrpnNet(2, 2),
  xnorNetPlusPlus,
  ...xnorNetPlusPlusForms,
  syq,
  syqRow,
  syqLayer,
  bbg,
  elbnn,
  realToBinary,
  trainedScaling,
  semiBinary,
  groupNetLayerwise,
  groupNetGroupwise,
  groupNet,
  groupNetBpac,
  dbnn,
  quantizedDistillation,
  differentiableQuantization,
  apprenticeA,
  apprenticeB,
  apprenticeC,
  lab,
  lab2,
  inq,
  inqBinary,
  bnnDl,
  ciBcnn,
  mainSubsidiary,
  defensiveQuantization,
  biReal,
  cbcn,
  hwgq,
  hwgqOneBit,
  bnnPlus,
  bnnPlusSquared,
  dsq,
  bcgd,
  bcgdOneBit,
  proxQuant,
  quantizationNetworks,
  selfBinarizing,
  itBnn,
  stepping,
  guidedTraining,
  int8Training,
  irNet,
  irNetResnet20,
  metaQuant,
  metaQuantFcGrad,
  bop,
  reactNet,
  rbnn,
  rbnnCode,
  recu,
  adaBin,
  fdaBnn,
  siman,
  lcrBnn,
  rebnn,
  biper,
  ovsw,
  abBnn,
];

const rowNamed = (id: string): Method | undefined => methods.find((method) => method.id === id);

/**
 * @param id of a row, or of a form of one with other bits, e.g. `dorefa-w1a3`
 * @param revision a form that the method had; default the present one
 * @param own methods that are looked at first
 * @throws UsageError naming the nearest known method, or the revisions that there are
 */
export function methodNamed(id: string, revision?: number, own: readonly Method[] = []): Method {
  const row = (name: string) => own.find((mine) => mine.id === name) ?? rowNamed(name);
  const method = row(id) ?? formNamed(id, row);
  if (method) return revision === undefined || revisionOf(method) === revision ? method : earlierForm(method, revision);
  throw new UsageError(
    `unknown method "${id}"${suggestion(
      id,
      [...own, ...methods].map((m) => m.id),
    )}; \`signum methods\` lists all; one of your own comes with --plugin <its file>`,
  );
}

/** The same, as its reference has it for a model. @throws as `methodNamed` */
export const methodOn = (model: string, id: string, revision?: number, own?: readonly Method[]): Method =>
  methodFor(methodNamed(id, revision, own), model);

function earlierForm(method: Method, revision: number): Method {
  const found = earlier.find((form) => form.id === method.id && revisionOf(form) === revision);
  if (found) return found;
  throw new UsageError(
    `method "${method.id}": revision ${revisionOf(method)} is here, and this run is of ${revision}; take the version of Signum, or of the method's own package, that made it`,
  );
}
