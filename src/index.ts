/** `signum`: train, pack and run binary neural networks. */
export { type BackendName, kernels, threads, useBackend } from './backend/select.ts';
export * as binarize from './binarize/index.ts';
export * from './core/errors.ts';
export { Random } from './core/random.ts';
export { defineMethod, type Method } from './methods/method.ts';
export { methodNamed, methods } from './methods/table.ts';
export { type Backbone, Course, type Maps, type Place, type Tap, type TapName, type Taps } from './models/backbone.ts';
export type { NetworkOptions } from './models/build.ts';
export { classifier } from './models/heads/classifier.ts';
export {
  type Answers,
  defineHead,
  type Head,
  type HeadPlace,
  type HeadSettings,
  type Loss,
  type LossOptions,
  type Outputs,
  type StoredHead,
} from './models/heads/head.ts';
export { defineModel, type ModelEntry } from './models/model.ts';
export { type BuildContext, Network, type NetworkBody, type NetworkConfig } from './models/network.ts';
export { buildNetwork, modelNamed, models, type Own } from './models/table.ts';
export { BatchNorm } from './nn/batch-norm.ts';
export {
  type BinaryLayer,
  binaryLayersOf,
  isBinaryLayer,
  type LayerProbe,
  observe,
  withProbe,
} from './nn/binary-layer.ts';
export { BinaryConv2d, BinaryLinear, type Quantization } from './nn/binary-layers.ts';
export { Conv2d, Lambda, Linear, PRelu } from './nn/layers.ts';
export { Module, Parameter, Sequential } from './nn/module.ts';
export * as optim from './optim/index.ts';
export { type Packed, type PackOptions, pack } from './pack/pack.ts';
export {
  defineTranslation,
  type Effect,
  nodeOf,
  type Position,
  stored,
  type Translation,
  unchanged,
} from './pack/translation.ts';
export { recipeOptions } from './recipes/options.ts';
export type { Recipe } from './recipes/recipe.ts';
export { recipeNamed, recipes } from './recipes/table.ts';
export { load, type ModelOptions, type ModelSource } from './runtime/load.ts';
export { LoadedModel, type PredictOptions, type RunOptions } from './runtime/loaded-model.ts';
export { definePackedOp, type PackedOp } from './runtime/op.ts';
export * as packedOp from './runtime/own-op.ts';
export { type LoadOptions, loadPackedModel, PackedModel } from './runtime/packed-model.ts';
export type { Prediction } from './runtime/prediction.ts';
export { answerTo, type Decoder, defineDecoder, type TaskDecoder } from './runtime/tasks/decoder.ts';
export { PackedEnsemble, type Vote } from './runtime/vote.ts';
export { classification } from './tasks/classification.ts';
export type { Drawing, Mark } from './tasks/drawing.ts';
export type { Figure, FigureName } from './tasks/figures.ts';
export { type AnyTask, headNamed, taskNamed, tasks } from './tasks/table.ts';
export { defineTask, type Result, type Score, type Task } from './tasks/task.ts';
export * as ops from './tensor/ops/index.ts';
export { backward, emptyTensor, gradientOf, inference, type Product, record, trainingStep } from './tensor/tape.ts';
export { SignFilter, SignTensor, Tensor } from './tensor/tensor.ts';
export { parseConfig, type TrainConfig, type TrainOptions } from './train/config.ts';
export { type Evaluation, evaluate, judge } from './train/evaluate.ts';
export { judgeTrained } from './train/judge.ts';
export { loadTrained } from './train/load-network.ts';
export { definePlugin, type House, type LoadedPlugin, type Plugin } from './train/plugin.ts';
export { type Existing, type FinishedRun, type TrainRunOptions, trainRun } from './train/run.ts';
export type { TrainEvents } from './train/run-events.ts';
export { RunFolder } from './train/run-folder.ts';
export { Trainer, type Training } from './train/trainer.ts';
