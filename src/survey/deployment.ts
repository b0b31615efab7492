import { parseRows, type SurveyTable } from './table.ts';

/** Table 2: binary networks on FPGAs; accuracies are top-1. */
export const table2: SurveyTable = {
  number: 2,
  title: 'Deployment performance on FPGAs',
  columns: ['accuracy %', 'topology', 'platform', 'LUTs', 'BRAMs', 'clock MHz', 'frames/s', 'power W'],
  notes: [
    '* a customized topology',
    'as printed: Zynq-8020, Spartan 750, Kintex 7325T and Vertex are Zynq-7020, Spartan XC7S50, Kintex-7 325T and Virtex',
  ],
  rows: parseRows(`
# MNIST [107]
FINN-R [108] | 97.7 | MLP-4 | Zynq-8020 | 25,358 | 220 | 100 | - | 2.5 |
FINN-R [108] | 97.7 | MLP-4 | ZynqUltra 3EG | 38,250 | 417 | 300 | - | 11.8 |
ReBNet [109] | 98.3 | MLP-4* | Spartan 750 | 32,600 | 120 | 200 | - | - |
FINN [102] | 98.4 | MLP-4 | Zynq-7045 | 82,988 | 396 | 200 | 1,561,000 | 22.6 |
BinaryEye [110] | 98.4 | MLP-4 | Kintex 7325T | 40,000 | 110 | 100 | 10,000 | 12.2 |
# SVHN [111]
FINN [102] | 94.9 | CNV-6 | Zynq-7045 | 46,253 | 186 | - | 21,900 | 11.7 |
FBNA [112] | 96.9 | CNV-6 | Zynq-7020 | 29,600 | 103 | - | 6,451 | 3.2 |
ReBNet [109] | 97.0 | CNV-6* | Zynq-7020 | 53,200 | 280 | 100 | - | - |
# CIFAR-10 [113]
Zhou et al. [114] | 66.6 | CNV-2* | Zynq-7045 | 20,264 | - | - | - | - |
Nakahara et al. [115] | - | CNV* | Vertex-7 690T | 20,352 | 372 | 450 | - | 15.4 |
Fraser et al. [116] | 79.1 | 1/4 cnn* | KintexUltra 115 | 35,818 | 144 | 125 | 12,000 | - |
FINN-R [108] | 80.1 | CNV-6 | ZynqUltra 3EG | 41,733 | 283 | 300 | - | 10.7 |
FINN-R [108] | 80.1 | CNV-6 | Zynq-7020 | 25,700 | 242 | 100 | - | 2.3 |
FINN [102] | 80.1 | CNV-6 | Zynq-7045 | 46,253 | 186 | 200 | 21,900 | 11.7 |
FINN [108] | 80.1 | CNV-6 | ADM-PCIE-8K5 | 365,963 | 1,659 | 125 | - | 41.0 |
FINN [117] | 80.1 | CNV-6 | Zynq-7020 | 42,823 | 270 | 166 | 445 | 2.5 |
Nakahara et al. [117] | 81.8 | CNV-6 | Zynq-7020 | 14,509 | 32 | 143 | 420 | 2.3 |
Fraser et al. [116] | 85.2 | 1/2 cnn* | KintexUltra 115 | 93,755 | 386 | 125 | 12,000 | - |
Zhou et al. [114] | 86.1 | CNV-5* | Vertex-7 980T | 556,920 | - | 340 | 332,158 | - |
ReBNet [109] | 87.0 | CNV-6* | Zynq-7020 | 53,200 | 280 | 200 | - | - |
Zhao et al. [101] | 87.7 | CNV-6 | Zynq-7020 | 46,900 | 140 | 143 | 168 | 4.7 |
Fraser et al. [116] | 88.3 | BNN* | KintexUltra 115 | 392,947 | 1814 | 125 | 12,000 | - |
FBNA [112] | 88.6 | CNV-6 | Zynq-7020 | 29,600 | 103 | - | 520 | 3.3 |
# ImageNet [118]
ReBNet [109] | 41.0 | CNV-5* | VertexUltra 095 | 1,075,200 | 3456 | 200 | - | - |
Yonekawa et al. [119] | - | VGG-16 | ZynqUltra 9EG | 191,784 | 32,870 | 150 | 31.48 | 22.0 |
`),
};
