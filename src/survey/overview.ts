import { parseRows, type SurveyTable } from './table.ts';

/** Table 1: the methods and the tricks they train with. */
export const table1: SurveyTable = {
  number: 1,
  title: 'Overview of binary neural networks',
  columns: ['structure', 'optimizer', 'asymptotic', 'gradient approximation'],
  notes: ['RB reorder BN, RP reorder pooling, WD widen, SC shortcut; S SGD, A Adam, AM AdaMax, R RMSprop'],
  rows: parseRows(`
# naive
BinaryConnect [59] | - | A | - | - | binary-connect
Bitwise Neural Networks [69] | - | - | - | - | bitwise
Binarized Neural Networks [57] | - | AM | - | - | bnn
# minimize the quantization error
Binary Weight Networks [58] | - | S | - | - | bwn
XNOR-Net [58] | RB+RP | A | - | - | xnor-net
DoReFa-Net [60] | - | A | - | - | dorefa
High-Order Residual Quantization [70] | - | A | - | - | horq
ABC-Net [71] | - | S | - | - | abc-net
Two-Step Quantization [72] | RB | - | - | - | tsq
Binary Weight Networks via Hashing [73] | - | S | - | - | bwnh
PArameterized Clipping acTivation [74] | - | A | - | - | pact
LQ-Nets [61] | RB | - | - | - | lq-nets
Wide Reduced-Precision Networks [75] | WD | A | - | - | wrpn-2x
XNOR-Net++ [76] | - | A | - | - | xnor-net-pp
Learning Symmetric Quantization [77] | - | - | yes | - | syq
BBG [78] | SC | - | - | - | bbg
Real-to-Bin [79] | SC | A | - | yes | real-to-binary
# improve the network loss function
Distilled Binary Neural Network [80] | - | S | - | - | dbnn
Distillation and Quantization [81] | - | S | - | - | dq
Apprentice [82] | - | - | - | - | apprentice-a
Loss-Aware Binarization [83] | - | A | - | - | lab
Incremental Network Quantization [84] | - | S | yes | - | inq
BNN-DL [85] | - | R | - | yes | bnn-dl
CI-BCNN [86] | - | R | - | yes | ci-bcnn
Main/Subsidiary Network [87] | RB | - | - | - | main-subsidiary
# reduce the gradient error
Bi-Real Net [62] | SC | S | - | yes | bi-real
Circulant Binary Convolutional Networks [88] | SC | S | - | yes | cbcn
Half-wave Gaussian Quantization [89] | RB | S | - | yes | hwgq
BNN+ [90] | RB | A | - | yes | bnn-plus
Differentiable Soft Quantization [63] | - | A | - | yes | dsq
BCGD [91] | - | - | - | yes | bcgd
ProxQuant [92] | - | A | - | yes | prox-quant
Quantization Networks [93] | - | S | - | yes | quantization-networks
Self-Binarizing Networks [94] | - | A | - | yes | self-binarizing
Improved Training BNN [95] | - | A | - | yes | it-bnn
IR-Net [96] | - | S | yes | yes | ir-net
`),
};
