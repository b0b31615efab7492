import { Command, CommanderError } from 'commander';
import { InterruptError } from '../core/errors.ts';
import { addBench } from './bench.ts';
import { addCompare } from './compare.ts';
import { addEnsemble } from './ensemble.ts';
import { addEval } from './eval.ts';
import { addLint } from './lint.ts';
import { addLists } from './lists.ts';
import { reportError, reportInterrupt } from './output.ts';
import { addPack } from './pack.ts';
import { addPredict } from './predict.ts';
import { addQuickstart } from './quickstart.ts';
import { addRobustness } from './robustness.ts';
import { addSensitivity } from './sensitivity.ts';
import { addSparsity } from './sparsity.ts';
import { addSummary } from './summary.ts';
import { addTable } from './table.ts';
import { addTrain } from './train.ts';
import { addViews } from './views.ts';

/** The `signum` command with all its sub-commands. */
export function buildProgram(): Command {
  const program = new Command('signum')
    .description('binary neural networks: train, pack to 1 bit, run by XNOR and population count')
    .option('--debug', 'show where an error happened')
    .showSuggestionAfterError()
    .exitOverride();
  for (const add of [
    addTrain,
    addEnsemble,
    addEval,
    addPack,
    addPredict,
    addSummary,
    addBench,
    addCompare,
    addLint,
    addRobustness,
    addSensitivity,
    addSparsity,
    addViews,
    addLists,
    addTable,
    addQuickstart,
  ])
    add(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}

/**
 * Runs a command line.
 *
 * @param argv as in process.argv
 * @returns the exit code: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C, 143 by SIGTERM
 */
export async function main(argv: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    // commander has already printed its own messages; --help is no error
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InterruptError) return reportInterrupt(error, argv.includes('--json'));
    return reportError(error, program.opts()['debug'] === true);
  }
}
