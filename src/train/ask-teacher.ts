import type { Method, TeacherView } from '../methods/method.ts';
import type { Network } from '../models/network.ts';
import { withProbe } from '../nn/binary-layer.ts';
import { inference } from '../tensor/tape.ts';
import { Tensor } from '../tensor/tensor.ts';

/** What a trained teacher says of a batch, copied out of its own pass. */
export function askTeacher(
  teacher: Network,
  images: Tensor,
  featuresOf: NonNullable<Method['teacherFeatures']> = () => [],
): TeacherView {
  const copy = ({ data, shape }: Tensor) => new Tensor(new Float32Array(data), shape);
  return inference(() => {
    const inputs: Tensor[] = [];
    const logits = withProbe(
      ({ input }) => inputs.push(input),
      () => teacher.forward(images),
    );
    return { logits: copy(logits), features: featuresOf(inputs).map(copy), layers: [] };
  });
}
