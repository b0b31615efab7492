import { sgd } from '../optim/optimizer.ts';
import { constant } from '../optim/schedules.ts';
import { add, scale } from '../tensor/ops/arithmetic.ts';
import { softCrossEntropy } from '../tensor/ops/distillation.ts';
import { softmaxCrossEntropy } from '../tensor/ops/loss.ts';
import { oneForm } from './forms.ts';
import { defineMethod, type LossTerm, type Method } from './method.ts';
import { wrpnNet } from './wrpn.ts';

/** alpha H(y, p_T) + beta H(y, p_S) + gamma H(p_T, p_S) (survey eq. 11). */
const [alpha, beta, gamma] = [1, 0.5, 0.5];

const fromTeacher: LossTerm = ({ logits, teacher }) => scale(softCrossEntropy(logits, teacher!.logits), gamma);
const teacherToo: LossTerm = (view) =>
  add(scale(softmaxCrossEntropy(view.teacher!.logits, view.labels, 0, view.mixed), alpha), fromTeacher(view));

/** The paper's low-precision student is WRPN's; the same width as the teacher here. */
const student = oneForm(wrpnNet(1, 1));

/** Scheme A: teacher and student learn together, from scratch (Mishra and Marr, ICLR 2018, sec. 5.1; survey [82], eq. 11). */
export const apprenticeA: Method = defineMethod({
  ...student,
  id: 'apprentice-a',
  title: 'Apprentice, teacher and student together',
  paper: 'Mishra and Marr, ICLR 2018',
  family: 'loss',
  teacher: 'joint',
  classificationWeight: beta,
  lossTerms: [teacherToo],
});

/** Scheme B: a trained teacher, the student from scratch (sec. 5.2). */
export const apprenticeB: Method = defineMethod({
  ...apprenticeA,
  id: 'apprentice-b',
  title: 'Apprentice, trained teacher',
  teacher: 'trained',
  lossTerms: [fromTeacher],
});

/** Scheme C: a trained teacher fine-tunes a student that starts from float weights (`--init`), at a small rate (sec. 5.3). */
export const apprenticeC: Method = defineMethod({
  ...apprenticeB,
  id: 'apprentice-c',
  title: 'Apprentice, fine-tuning from float weights',
  defaults: { ...student.defaults, optimizer: sgd({ rate: 1e-3, momentum: 0.9 }), rate: constant(), epochs: 35 },
});
