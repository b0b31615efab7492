import { UsageError } from '../core/errors.ts';
import { suggestion } from '../core/suggest.ts';
import { adam, adamax, type Optimizer, type RuleNumbers, rmsprop, sgd } from './optimizer.ts';
import { shiftAdamax } from './shift-adamax.ts';

/** An update rule as a run stores it: its name and every number. */
export type StoredRule = { readonly id: string } & RuleNumbers;

/** An update rule that options can name. */
interface Rule {
  /** The rule with these numbers. */
  readonly make: (numbers: never) => Optimizer;
  /** What it has beside its rate, as it is when nobody says otherwise. */
  readonly usual: RuleNumbers;
  /** Rates that trainings use; beyond them lies a mistake. */
  readonly rates: readonly [number, number];
}

const moments = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

/** Every update rule by its name. */
export const rules = {
  sgd: { make: sgd, usual: { momentum: 0.9, weightDecay: 0, nesterov: false }, rates: [1e-5, 1] },
  adam: { make: adam, usual: moments, rates: [1e-6, 0.03] },
  adamax: { make: adamax, usual: moments, rates: [1e-6, 0.03] },
  'shift-adamax': { make: shiftAdamax, usual: {}, rates: [1e-6, 0.03] },
  rmsprop: { make: rmsprop, usual: { decay: 0.99, epsilon: 1e-8, weightDecay: 0 }, rates: [1e-6, 0.03] },
} as const satisfies Readonly<Record<string, Rule>>;

/** Name of an update rule. */
export type RuleId = keyof typeof rules;
/** Names of all update rules. */
export const ruleIds = Object.keys(rules) as [RuleId, ...RuleId[]];

/** @throws UsageError naming the nearest known rule */
function ruleNamed(id: string): Rule {
  if (Object.hasOwn(rules, id)) return rules[id as RuleId];
  throw new UsageError(`unknown optimizer "${id}"${suggestion(id, ruleIds)}; there are ${ruleIds.join(', ')}`);
}

/** The rule of an optimiser as a run stores it: its name and numbers. */
export const ruleOf = ({ id, numbers }: Optimizer): StoredRule => ({ id, ...numbers }) as StoredRule;

/** @throws UsageError for an unknown rule, or one whose rate is missing */
export function optimizerFrom({ id, ...numbers }: StoredRule): Optimizer {
  const { make } = ruleNamed(id);
  if (typeof (numbers as RuleNumbers)['rate'] !== 'number')
    throw new UsageError(`optimizer "${id}" without a rate; expected such as {"id": "sgd", "rate": 0.1}`);
  return make(numbers as never);
}

/**
 * A rule with some numbers changed, or another rule with the numbers that both have: what is not named stays.
 *
 * @param id of the rule; default the one there is
 * @param changes numbers by name; those that are undefined stay
 * @throws UsageError for a number that the rule does not have
 */
export function changedRule(
  from: Optimizer,
  id: string = from.id,
  changes: Readonly<Record<string, number | boolean | undefined>> = {},
): Optimizer {
  const { usual } = ruleNamed(id);
  const known = ['rate', ...Object.keys(usual)];
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  const strange = named.find(([name]) => !known.includes(name));
  if (strange)
    throw new UsageError(`${id} has no ${strange[0]} (given ${strange[1]}); it has ${known.join(', ')}: leave it out`);
  const kept = Object.entries(from.numbers).filter(([name]) => known.includes(name));
  return optimizerFrom({ id, ...usual, ...Object.fromEntries([...kept, ...named]) } as StoredRule);
}

/** That a number can hardly be meant, in one line; null when all are as in other trainings. */
export function oddRule({ id, rate, weightDecay }: Optimizer): string | null {
  const [low, high] = ruleNamed(id).rates;
  if (rate < low || rate > high)
    return `${id} at a learning rate of ${rate}: trainings with it use ${low} to ${high}; --rate sets another one`;
  if (weightDecay > 0.05)
    return `${id} with a weight decay of ${weightDecay}: trainings use 0 to 0.005; --weight-decay sets another one`;
  return null;
}
