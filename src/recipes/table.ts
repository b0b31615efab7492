import { UsageError } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { suggestion } from '../core/suggest.ts';
import { cnv6BnnCifar10 } from './cnv6-bnn-cifar10.ts';
import { cnv6BnnFashionMnist } from './cnv6-bnn-fashion-mnist.ts';
import { lfcBnnMnist } from './lfc-bnn-mnist.ts';
import type { Recipe } from './recipe.ts';
import { resnet20AdaBinCifar10 } from './resnet20-ada-bin-cifar10.ts';
import { resnet20BwnCifar10 } from './resnet20-bwn-cifar10.ts';
import { resnet20FloatCifar10 } from './resnet20-float-cifar10.ts';
import { resnet20IrNetCifar10 } from './resnet20-ir-net-cifar10.ts';
import { resnet20MetaQuantCifar10 } from './resnet20-meta-quant-cifar10.ts';
import { resnet20RbnnCifar10 } from './resnet20-rbnn-cifar10.ts';
import { resnet20RecuCifar10 } from './resnet20-recu-cifar10.ts';
import { resnet20RecuFinetunedCifar10 } from './resnet20-recu-finetuned-cifar10.ts';
import { resnet20SimanCifar10 } from './resnet20-siman-cifar10.ts';
import { vggSmallAdaBinCifar10 } from './vgg-small-ada-bin-cifar10.ts';
import { vggSmallFloatCifar10 } from './vgg-small-float-cifar10.ts';
import { vggSmallHalfSimanCifar10 } from './vgg-small-half-siman-cifar10.ts';
import { vggSmallIrNetCifar10 } from './vgg-small-ir-net-cifar10.ts';
import { vggSmallRbnnCifar10 } from './vgg-small-rbnn-cifar10.ts';
import { vggSmallRecuCifar10 } from './vgg-small-recu-cifar10.ts';
import { vggSmallRecuFinetunedCifar10 } from './vgg-small-recu-finetuned-cifar10.ts';
import { vggSmallSimanCifar10 } from './vgg-small-siman-cifar10.ts';

/** Every row that one short command trains: `signum train --recipe <id>`. A further one is a file and a line here. */
export const recipes: readonly Recipe[] = [
  resnet20FloatCifar10,
  resnet20IrNetCifar10,
  resnet20RbnnCifar10,
  resnet20SimanCifar10,
  resnet20RecuCifar10,
  resnet20RecuFinetunedCifar10,
  resnet20AdaBinCifar10,
  resnet20BwnCifar10,
  resnet20MetaQuantCifar10,
  cnv6BnnCifar10,
  vggSmallFloatCifar10,
  vggSmallIrNetCifar10,
  vggSmallRbnnCifar10,
  vggSmallSimanCifar10,
  vggSmallHalfSimanCifar10,
  vggSmallRecuCifar10,
  vggSmallRecuFinetunedCifar10,
  vggSmallAdaBinCifar10,
  lfcBnnMnist,
  cnv6BnnFashionMnist,
];

/** @throws UsageError for an unknown name, with the nearest one */
export function recipeNamed(id: string): Recipe {
  const found = recipes.find((recipe) => recipe.id === id);
  if (found) return found;
  const ids = recipes.map((recipe) => recipe.id);
  throw new UsageError(`unknown recipe "${printable(id)}"${suggestion(id, ids)}; \`signum recipes\` lists all`);
}
