import { ShapeError } from '../../core/errors.ts';
import { formatShape } from '../../core/shape.ts';
import { floats } from '../storage.ts';
import { record } from '../tape.ts';
import { Tensor } from '../tensor.ts';
import { softmaxRows } from './loss.ts';

function requireSameSize(op: string, x: Tensor, target: Tensor): void {
  if (x.size === target.size) return;
  throw new ShapeError(
    `${op}: the student gives ${formatShape(x.shape)}, the teacher ${formatShape(target.shape)}; both need the same classes`,
  );
}

/** softmax(logits/temperature) of each row. */
function softened(logits: Tensor, temperature: number): Float32Array {
  const out = floats(logits.size);
  for (let i = 0; i < out.length; i++) out[i] = logits.data[i]! / temperature;
  softmaxRows(out, logits.channels, out);
  return out;
}

/**
 * Mean over samples of the cross-entropy of softmax(student/T) against softmax(teacher/T); no gradient reaches the teacher.
 *
 * @param student logits [N,K]
 * @param teacher logits [N,K]
 * Source: Hinton 2015, eq. 2; survey eq. 11.
 */
export function softCrossEntropy(student: Tensor, teacher: Tensor, temperature = 1): Tensor {
  requireSameSize('softCrossEntropy', student, teacher);
  const [p, q] = [softened(student, temperature), softened(teacher, temperature)];
  const n = student.rows;
  let total = 0;
  for (let i = 0; i < p.length; i++) total -= q[i]! * Math.log(Math.max(p[i]!, 1e-30));
  const backward = (g: Float32Array) => {
    const dx = floats(p.length);
    for (let i = 0; i < dx.length; i++) dx[i] = (g[0]! * (p[i]! - q[i]!)) / (n * temperature);
    return [dx];
  };
  const loss = new Tensor(floats(1).fill(total / n), [1]);
  return record('softCrossEntropy', [student], loss, backward, { saved: [p, q] });
}

/** KL(softmax(teacher/T) || softmax(student/T)), mean over samples: the cross-entropy less the teacher's entropy. */
export function klDivergence(student: Tensor, teacher: Tensor, temperature: number): Tensor {
  const crossEntropy = softCrossEntropy(student, teacher, temperature);
  const q = softened(teacher, temperature);
  let entropy = 0;
  for (const probability of q) if (probability > 0) entropy -= probability * Math.log(probability);
  const loss = new Tensor(floats(1).fill(crossEntropy.data[0]! - entropy / student.rows), [1]);
  return record('klDivergence', [crossEntropy], loss, (g) => [g]);
}

/** Mean of (a - b)^2, with gradients to both sides that want one. */
export function meanSquaredError(a: Tensor, b: Tensor): Tensor {
  requireSameSize('meanSquaredError', a, b);
  let total = 0;
  for (let i = 0; i < a.size; i++) total += (a.data[i]! - b.data[i]!) ** 2;
  const backward = (g: Float32Array) => {
    const [da, db] = [floats(a.size), floats(b.size)];
    for (let i = 0; i < da.length; i++) {
      da[i] = (2 * g[0]! * (a.data[i]! - b.data[i]!)) / a.size;
      db[i] = -da[i]!;
    }
    return [da, db];
  };
  return record('meanSquaredError', [a, b], new Tensor(floats(1).fill(total / a.size), [1]), backward);
}
