#!/usr/bin/env node
process.stdout.on('error', () => process.exit(0)); // the reader of a pipe has left

/** Commands that take minutes: they run in a thread, so that this one hears signals at once. */
const long = 'train ensemble compare quickstart eval sensitivity robustness sparsity views pack'.split(' ');

const command = process.argv.slice(2).find((argument) => !argument.startsWith('-')) ?? '';
const code = long.includes(command)
  ? await (await import('./command-thread.ts')).runInThread(process.argv)
  : await (await import('./program.ts')).main(process.argv);
// a command may have set another one
process.exitCode = code || process.exitCode || 0;
