import type { Parameter } from './module.ts';

/**
 * What weight decay takes hold of: `all` parameters, as most BNN codes have it; `weights`, float and latent ones, and quantizers' values that ask for
 * it, but no bias, norm or slope; `latents` only; or all `but-binary` layers' weights and scales (SiMaN).
 */
export const decayChoices = ['all', 'weights', 'latents', 'but-binary'] as const;
export type DecayChoice = (typeof decayChoices)[number];

type Decayed = Pick<Parameter, 'role' | 'decayed'>;

const rules: Readonly<Record<DecayChoice, (parameter: Decayed) => boolean>> = {
  all: () => true,
  weights: ({ role, decayed }) => decayed ?? (role === 'weight' || role === 'latent'),
  latents: ({ role }) => role === 'latent',
  'but-binary': ({ role }) => role !== 'latent' && role !== 'quantizer',
};

/** Whether weight decay is for a parameter. */
export const decays = (choice: DecayChoice, parameter: Decayed): boolean => rules[choice](parameter);
