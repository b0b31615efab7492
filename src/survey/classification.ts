import { parseRows, type SurveyTable } from './table.ts';

/** Table 3: CIFAR-10. */
export const table3: SurveyTable = {
  number: 3,
  title: 'Image classification on CIFAR-10',
  columns: ['bits W/A', 'topology', 'accuracy %'],
  notes: [
    "IR-Net at 1/32: its authors' repository gives 90.8; the survey prints 90.2 and cites [63] instead of [96]",
    'BCGD is [91] and reduces the gradient error; the survey cites [87] and files it under loss',
    'the code of CI-BCNN trains a ResNet-20 of five times the channels',
  ],
  rows: parseRows(`
# full precision
- [61] | 32/32 | VGG-Small | 93.8 | float
" | 32/32 | ResNet-20 | 92.1 | float
- [92] | 32/32 | ResNet-32 | 92.8 | float
" | 32/32 | ResNet-44 | 93.0 | float
- [87] | 32/32 | VGG-11 | 83.8 | float
" | 32/32 | NIN | 84.2 | float
# naive
BinaryConnect [59] | 1/32 | VGG-Small | 91.7 | binary-connect
BNN [57] | 1/1 | VGG-Small | 89.9 | bnn
# minimize the quantization error
BWN [58] | 1/32 | VGG-Small | 90.1 | bwn
XNOR-Net [58] | 1/1 | VGG-Small | 89.8 | xnor-net
" | 1/1 | customized | 77.0 | xnor-net
DoReFa-Net [60] | 1/32 | ResNet-20 | 90.0 | dorefa
" | 1/1 | ResNet-20 | 79.3 | dorefa-w1a1
HORQ [70] | 2/1 | customized | 82.0 | horq
TSQ [72] | 3/2 | VGG-Small | 93.5 | tsq
BBG [78] | 1/1 | ResNet-20 | 85.3 | bbg
" | 1/1 | ResNet-20 (2x) | 90.7 | bbg
" | 1/1 | ResNet-20 (4x) | 92.5 | bbg
LQ-Nets [61] | 1/32 | ResNet-20 | 90.1 | lq-nets
" | 1/2 | VGG-Small | 93.4 | lq-nets
# improve the network loss function
LAB [83] | 1/32 | VGG-Small | 89.5 | lab
" | 1/1 | VGG-Small | 87.7 | lab2
Main/Subsidiary Network [87] | 1/1 | NIN | 83.1 | main-subsidiary
" | 1/1 | VGG-11 | 82.0 | main-subsidiary
" | 1/1 | ResNet-18 | 86.4 | main-subsidiary
BCGD [87] | 1/4 | VGG-11 | 89.6 | bcgd
" | 1/4 | ResNet-20 | 90.1 | bcgd
ProxQuant [92] | 1/32 | ResNet-20 | 90.7 | prox-quant
" | 1/32 | ResNet-32 | 91.5 | prox-quant
" | 1/32 | ResNet-44 | 92.2 | prox-quant
BNN-DL [85] | 1/1 | VGG-Small | 90.0 | bnn-dl
CI-BCNN [86] | 1/1 | VGG-Small | 92.5 | ci-bcnn
" | 1/1 | ResNet-20 | 91.1 | ci-bcnn
# reduce the gradient error
DSQ [63] | 1/1 | VGG-Small | 91.7 | dsq
" | 1/32 | ResNet-20 | 90.2 | dsq
" | 1/1 | ResNet-20 | 84.1 | dsq
IR-Net [63] | 1/32 | ResNet-20 | 90.2 | ir-net
" | 1/1 | VGG-Small | 90.4 | ir-net
" | 1/1 | ResNet-18 | 91.5 | ir-net
" | 1/1 | ResNet-20 | 86.5 | ir-net
`),
};

/** Table 4: ImageNet. */
export const table4: SurveyTable = {
  number: 4,
  title: 'Image classification on ImageNet',
  columns: ['bits W/A', 'topology', 'top-1 %', 'top-5 %'],
  notes: [
    "the IR-Net rows are permuted: its authors' repository gives ResNet-18 1/32 66.5/86.8, ResNet-34 1/1 62.9/84.1, ResNet-34 1/32 70.4/89.5",
    'HWGQ at 1/1: its training files use three positive activation levels, that is 2-bit activations',
    'Main/Subsidiary on ResNet-34: a top-5 of 86.6 does not go with a top-1 of 54.9',
  ],
  rows: parseRows(`
# full precision
- [61] | 32/32 | AlexNet | 57.1 | 80.2 | float
" | 32/32 | ResNet-18 | 69.6 | 89.2 | float
" | 32/32 | ResNet-34 | 73.3 | 91.3 | float
" | 32/32 | ResNet-50 | 76.0 | 93.0 | float
" | 32/32 | VGG-Variant | 72.0 | 90.5 | float
# naive
BinaryConnect [59] | 1/32 | AlexNet | 35.4 | 61.0 | binary-connect
BNN [57] | 1/1 | AlexNet | 27.9 | 50.4 | bnn
# minimize the quantization error
BWN [58] | 1/32 | AlexNet | 56.8 | 79.4 | bwn
" | 1/32 | ResNet-18 | 60.8 | 83.0 | bwn
XNOR-Net [58] | 1/1 | AlexNet | 44.2 | 69.2 | xnor-net
DoReFa-Net [60] | 1/1 | AlexNet | 43.6 | - | dorefa-w1a1
" | 1/1 | AlexNet | 49.8 | - | dorefa-w1a1
ABC-Net [71] | 1/32 | ResNet-18 | 62.8 | 84.4 | abc-net
" | 2/32 | ResNet-18 | 63.7 | 85.2 | abc-net
" | 1/1 | ResNet-18 | 42.7 | 67.6 | abc-net-1x1
" | 1/1 | ResNet-34 | 52.4 | 76.5 | abc-net-1x1
TSQ [72] | 1/1 | AlexNet | 58.0 | 80.5 | tsq-w1a1
BWNH [73] | 1/32 | AlexNet | 58.5 | 80.9 | bwnh
" | 1/32 | ResNet-18 | 64.3 | 85.9 | bwnh
PACT [74] | 1/32 | ResNet-18 | 65.8 | 86.7 | pact
" | 1/2 | ResNet-18 | 62.9 | 84.7 | pact-w1a2
" | 1/2 | ResNet-50 | 67.8 | 87.9 | pact-w1a2
LQ-Nets [61] | 1/2 | ResNet-18 | 62.6 | 84.3 | lq-nets
" | 1/2 | ResNet-34 | 66.6 | 86.9 | lq-nets
" | 1/2 | ResNet-50 | 68.7 | 88.4 | lq-nets
" | 1/2 | AlexNet | 55.7 | 78.8 | lq-nets
" | 1/2 | VGG-Variant | 67.1 | 87.6 | lq-nets
SYQ [77] | 1/2 | AlexNet | 55.4 | 78.6 | syq-layer
" | 1/8 | ResNet-18 | 62.9 | 84.6 | syq
" | 1/8 | ResNet-50 | 70.6 | 89.6 | syq
WRPN [75] | 1/1 (1x) | ResNet-34 | 60.5 | - | wrpn-2x
" | 1/1 (2x) | ResNet-34 | 69.9 | - | wrpn-2x
" | 1/1 (3x) | ResNet-34 | 72.4 | - | wrpn-2x
XNOR-Net++ [76] | 1/1 (1x) | ResNet-18 | 57.1 | 79.9 | xnor-net-pp
" | 1/1 (1x) | AlexNet | 46.9 | 71.0 | xnor-net-pp
# improve the network loss function
INQ [84] | 2/32 | ResNet-18 | 66.0 | 87.1 | inq
BNN-DL [85] | 1/1 | AlexNet | 41.3 | 65.8 | bnn-dl
XNOR-Net-DL [85] | 1/1 | AlexNet | 47.8 | 71.5 |
DoReFa-Net-DL [85] | 1/1 | AlexNet | 47.8 | 71.5 |
CompactNet-DL [85] | 1/2 | AlexNet | 47.6 | 71.9 |
WRPN-DL [85] | 1/1 | AlexNet | 53.8 | 77.0 |
Main/Subsidiary Network [87] | 1/1 | ResNet-18 | 50.1 | - | main-subsidiary
" | 1/1 | ResNet-34 | 54.9 | 86.6 | main-subsidiary
# reduce the gradient error
Bi-Real [62] | 1/1 | ResNet-18 | 56.4 | 79.5 | bi-real
" | 1/1 | ResNet-34 | 62.2 | 83.9 | bi-real
HWGQ [89] | 1/1 | AlexNet | 52.7 | 76.3 | hwgq-w1a1
CBCN [88] | 1/1 | ResNet-18 | 61.4 | 82.8 | cbcn
Quantization Networks [93] | 1/32 | AlexNet | 58.8 | 81.7 | quantization-networks
" | 1/32 | ResNet-18 | 66.5 | 87.3 | quantization-networks
" | 1/32 | ResNet-50 | 72.8 | 91.3 | quantization-networks
BCGD [91] | 1/4 | ResNet-18 | 65.5 | 86.4 | bcgd
" | 1/4 | ResNet-34 | 68.4 | 88.3 | bcgd
DSQ [63] | 1/32 | ResNet-18 | 63.7 | - | dsq
IR-Net [96] | 1/32 | ResNet-18 | 62.9 | 84.1 | ir-net
" | 1/32 | ResNet-34 | 66.5 | 86.8 | ir-net
" | 1/1 | ResNet-18 | 58.1 | 80.0 | ir-net
" | 1/1 | ResNet-34 | 70.4 | 89.5 | ir-net
IT-BNN [95] | 1/1 | ResNet-18 | 53.7 | 76.8 | it-bnn
" | 1/1 | AlexNet | 48.6 | 72.8 | it-bnn
`),
};
