import { scale } from '../tensor/ops/arithmetic.ts';
import { klDivergence } from '../tensor/ops/distillation.ts';
import type { LossTerm, Method } from './method.ts';

export interface Distillation {
  /** Weight of the teacher's answers beside the labels, in (0,1]. */
  readonly share: number;
  readonly temperature: number;
}

/** T^2 KL(softmax(teacher/T) || softmax(student/T)): gradients are as large at every temperature (Hinton et al. 2015, sec. 2). */
const fromTeacher =
  (temperature: number): LossTerm =>
  ({ logits, teacher }) =>
    scale(klDivergence(logits, teacher!.logits, temperature), temperature ** 2);

/** The method's loss terms, as far as they do without its own teacher. */
function ownTerms({ teacher, lossTerms = [] }: Method): readonly LossTerm[] {
  if (teacher === undefined) return lossTerms;
  return teacher === 'optional' ? lossTerms.map((term) => (view) => term({ ...view, teacher: null })) : [];
}

/** The same method, which learns from its labels and from nobody else. */
export function untaught(method: Method): Method {
  const { teacher, teacherFeatures: _, ...rest } = method;
  return teacher === undefined ? method : { ...rest, classificationWeight: 1, lossTerms: ownTerms(method) };
}

/**
 * The same method, taught by a trained network: (1 - share) of the loss of the labels, and share of what the teacher's softened answers
 * tell. A teacher of the method's own, and what is learned from it, is left out.
 */
export function distilled(method: Method, { share, temperature }: Distillation): Method {
  const { teacherFeatures: _, classificationWeight = 1, ...rest } = method;
  const term = fromTeacher(temperature);
  return {
    ...rest,
    teacher: 'trained',
    classificationWeight: (1 - share) * (method.teacher ? 1 : classificationWeight),
    lossTerms: [...ownTerms(method), (view) => scale(term(view), share)],
  };
}
