// The layers of the house, top to bottom: an arrow may only point down. Circular imports are errors.
const layers = ['cli', 'hardware', 'recipes', 'compare', 'survey', 'analysis', 'formats', 'train', 'report', 'tasks', 'data', 'pack', 'models', 'methods', 'nn', 'binarize', 'optim', 'runtime', 'tensor', 'exact', 'backend', 'core'];
const alternatives = (names) => names.join('|');

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    ...layers.slice(1).map((layer, i) => ({
      name: `layer-${layer}`,
      severity: 'error',
      comment: `src/${layer} may not import from the layers above it`,
      from: { path: `^src/${layer}/` },
      to: { path: `^src/(${alternatives(layers.slice(0, i + 1))})/` },
    })),
    {
      name: 'runtime-is-inference-only',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/', pathNot: '^src/(runtime|exact|backend|core)/' },
    },
    {
      name: 'browser-clean-below-data',
      severity: 'error',
      comment: 'everything below src/data runs in a browser too',
      from: { path: `^src/(${alternatives(layers.slice(layers.indexOf('pack')))})/`, pathNot: '(platform/(node|node-threads|node-worker|node-pictures|addon-file|zoo-folders)\\.ts|\\.test\\.ts|\\.testing\\.ts)$' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'browser-clean-tasks',
      severity: 'error',
      comment: 'a page draws and scores what a task says',
      from: { path: '^src/tasks/' },
      to: { dependencyTypes: ['core'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '\\.(test|testing)\\.ts$' },
    // TypeScript 7 has no JavaScript API to parse with
    parser: 'swc',
    enhancedResolveOptions: { conditionNames: ['signum-source', 'import', 'node'], extensions: ['.ts', '.js'] },
  },
};
