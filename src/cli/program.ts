import { Command, CommanderError } from 'commander';
import { InterruptError } from '../core/errors.ts';
import { reportError, reportInterrupt } from './output.ts';

interface Entry {
  readonly name: string;
  readonly description: string;
  /** Imports the command's module, which knows its arguments and options: a command loads what it uses and nothing else. */
  readonly load: () => Promise<(command: Command) => void>;
}

const commands: readonly Entry[] = [
  {
    name: 'train',
    description: 'train a binary network in a run folder',
    load: async () => (await import('./train.ts')).defineTrain,
  },
  {
    name: 'ensemble',
    description: 'train several networks that vote (BENN: Zhu et al., CVPR 2019)',
    load: async () => (await import('./ensemble.ts')).defineEnsemble,
  },
  {
    name: 'eval',
    description: 'accuracy of a run, or of a packed model, on a test set',
    load: async () => (await import('./eval.ts')).defineEval,
  },
  {
    name: 'pack',
    description: 'pack a trained network to 1 bit, verify it bit for bit, write one safetensors file',
    load: async () => (await import('./pack.ts')).definePack,
  },
  {
    name: 'predict',
    description: 'classify image files with a packed model',
    load: async () => (await import('./predict.ts')).definePredict,
  },
  {
    name: 'summary',
    description: 'per layer: shape, bits, parameters, MACs, size, share of run time',
    load: async () => (await import('./summary.ts')).defineSummary,
  },
  {
    name: 'bench',
    description: 'float against packed on this machine: time layer by layer, sizes, memory',
    load: async () => (await import('./bench.ts')).defineBench,
  },
  {
    name: 'compare',
    description: 'train methods x models x data x seeds under one budget and rank them',
    load: async () => (await import('./compare.ts')).defineCompare,
  },
  {
    name: 'lint',
    description: 'find the classical mistakes of binary networks before hours are lost',
    load: async () => (await import('./lint.ts')).defineLint,
  },
  {
    name: 'robustness',
    description: 'accuracy under noise and attacks (FGSM, PGD) of growing strength, of one or several runs',
    load: async () => (await import('./robustness.ts')).defineRobustness,
  },
  {
    name: 'sensitivity',
    description: 'how loss and accuracy change when one layer computes otherwise, and which policy that suggests',
    load: async () => (await import('./sensitivity.ts')).defineSensitivity,
  },
  {
    name: 'sparsity',
    description: 'which outputs of a float network a low-bit copy foresees to be 0 (SeerNet)',
    load: async () => (await import('./sparsity.ts')).defineSparsity,
  },
  {
    name: 'views',
    description: 'pictures of what the layers of a run see and of their filters, as one page',
    load: async () => (await import('./views.ts')).defineViews,
  },
  {
    name: 'methods',
    description: 'list the binarization methods',
    load: async () => (await import('./lists.ts')).defineMethods,
  },
  {
    name: 'models',
    description: 'list the network topologies, or what one of them costs',
    load: async () => (await import('./lists.ts')).defineModels,
  },
  {
    name: 'recipes',
    description: 'list the published rows that one short command trains',
    load: async () => (await import('./recipes.ts')).defineRecipes,
  },
  {
    name: 'zoo',
    description: 'list the trained networks of the package @signum-bnn/zoo',
    load: async () => (await import('./zoo.ts')).defineZoo,
  },
  {
    name: 'data',
    description: 'list the data sets and where they are looked for',
    load: async () => (await import('./lists.ts')).defineData,
  },
  {
    name: 'table',
    description: "print a table of the survey, with Signum's own figures where a logged run exists",
    load: async () => (await import('./table.ts')).defineTable,
  },
  {
    name: 'quickstart',
    description: 'the main job in one go: train a 1-bit network on MNIST, pack, verify, report',
    load: async () => (await import('./quickstart.ts')).defineQuickstart,
  },
  {
    name: 'info',
    description: 'version, backend, instruction set, threads, and why no faster backend is used (also: --version)',
    load: async () => (await import('./info.ts')).defineInfo,
  },
  {
    name: 'build-native',
    description: 'compile the native kernels on this machine, for systems that none are shipped for',
    load: async () => (await import('./build-native.ts')).defineBuildNative,
  },
];

/** The `signum` command: every command by name, and those that the arguments name with all they take. */
async function buildProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('signum')
    .description('binary neural networks: train, pack to 1 bit, run by XNOR and population count')
    .option('--debug', 'show where an error happened')
    .option('-V, --version', 'what `signum info` tells')
    .showSuggestionAfterError()
    .exitOverride();
  for (const { name, description, load } of commands) {
    const command = program.command(name).description(description);
    if (args.includes(name)) (await load())(command);
  }
  return program;
}

/**
 * Runs a command line.
 *
 * @param argv as in process.argv
 * @returns the exit code: 0 done, 1 failed, 2 wrong use, 130 stopped by Ctrl-C, 143 by SIGTERM
 */
export async function main(argv: readonly string[]): Promise<number> {
  const [node = '', script = '', first, ...others] = argv;
  const isVersion = first === '-V' || first === '--version';
  const args = isVersion ? ['info', ...others] : argv.slice(2);
  try {
    const program = await buildProgram(args);
    await program.parseAsync([node, script, ...args]);
    return 0;
  } catch (error) {
    // commander has already printed its own messages; --help is no error
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InterruptError) return reportInterrupt(error, args.includes('--json'));
    return reportError(error, args.includes('--debug'));
  }
}
