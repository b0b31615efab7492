/** Weight decay is L2: added to the gradient. Formulas: PyTorch's SGD; Kingma and Ba 2015, alg. 1 and 2; Hinton's RMSprop. */

export function sgdStep(
  w: Float32Array,
  g: Float32Array,
  velocity: Float32Array,
  rate: number,
  momentum: number,
  weightDecay: number,
  nesterov: boolean,
): void {
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i]! + weightDecay * w[i]!;
    velocity[i] = momentum * velocity[i]! + gradient;
    w[i]! -= rate * (nesterov ? gradient + momentum * velocity[i]! : velocity[i]!);
  }
}

export function adamStep(
  w: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  rate: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  weightDecay: number,
  correction1: number,
  correction2: number,
): void {
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i]! + weightDecay * w[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
    v[i] = beta2 * v[i]! + (1 - beta2) * gradient * gradient;
    w[i]! -= (rate * (m[i]! / correction1)) / (Math.sqrt(v[i]! / correction2) + epsilon);
  }
}

export function adamaxStep(
  w: Float32Array,
  g: Float32Array,
  m: Float32Array,
  v: Float32Array,
  rate: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  weightDecay: number,
  correction1: number,
): void {
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i]! + weightDecay * w[i]!;
    m[i] = beta1 * m[i]! + (1 - beta1) * gradient;
    v[i] = Math.max(beta2 * v[i]!, Math.abs(gradient) + epsilon);
    w[i]! -= ((rate / correction1) * m[i]!) / v[i]!;
  }
}

export function rmspropStep(
  w: Float32Array,
  g: Float32Array,
  v: Float32Array,
  rate: number,
  decay: number,
  epsilon: number,
  weightDecay: number,
): void {
  for (let i = 0; i < w.length; i++) {
    const gradient = g[i]! + weightDecay * w[i]!;
    v[i] = decay * v[i]! + (1 - decay) * gradient * gradient;
    w[i]! -= (rate * gradient) / (Math.sqrt(v[i]!) + epsilon);
  }
}
