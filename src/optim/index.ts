/** Update rules and learning-rate schedules. */
export * from './optimizer.ts';
export * from './rules.ts';
export * from './schedules.ts';
export * from './shift-adamax.ts';
