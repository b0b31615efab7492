import { parseRows, type SurveyTable } from './table.ts';

/** Table 5: object detection on COCO. */
export const table5: SurveyTable = {
  number: 5,
  title: 'Object detection on COCO 2017',
  columns: ['bits W/A', 'mAP %'],
  notes: ["FQN on Faster-RCNN: the paper's own abstract says 4-bit detectors; the survey prints 1/1"],
  rows: parseRows(`
# Faster-RCNN, ResNet-18
FQN [65] | 1/1 | 28.1 |
# Faster-RCNN, ResNet-34
FQN [65] | 1/1 | 31.8 |
# Faster-RCNN, ResNet-50
FQN [65] | 1/1 | 33.1 |
# RetinaNet, ResNet-18
Quant whitepaper [130] | 8/8 | 22.6 |
Integer-only [131] | 8/8 | 19.7 |
DoReFa-Net [60] | 1/1 | 3.9 | dorefa-w1a1
XNOR-Net [58] | 4/4 | 24.4 |
XNOR-Net (percentile) [65] | 4/4 | 26.7 |
FQN [65] | 4/4 | 28.6 |
`),
};

/** Table 6: object detection on PASCAL VOC. */
export const table6: SurveyTable = {
  number: 6,
  title: 'Object detection on PASCAL VOC 2007',
  columns: ['bits W/A', 'mAP %'],
  notes: ['the SSD rows repeat figures of others, and full precision at 1/32 cannot be: not to be used as targets'],
  rows: parseRows(`
# Faster-RCNN, VGG
Full precision | 32/32 | 68.9 | float
BWN [64] | 1/32 | 62.5 | bwn
BNN [64] | 1/1 | 47.3 | bnn
# Faster-RCNN, AlexNet
Full precision | 32/32 | 66.0 | float
BWN [64] | 1/32 | 62.1 | bwn
BNN [64] | 1/1 | 46.4 | bnn
# SSD, DarkNet
Full precision | 1/32 | 62.1 |
ELBNN [121] | 2/2 | 62.4 | elbnn
# SSD, VGG-16
Full precision | 32/32 | 62.1 | float
ELBNN [121] | 2/2 | 46.4 | elbnn
`),
};

/** Table 7: semantic segmentation on PASCAL VOC. */
export const table7: SurveyTable = {
  number: 7,
  title: 'Semantic segmentation on PASCAL VOC 2012',
  columns: ['bits W/A', 'mIoU %'],
  notes: ['the survey heads the column mAP and the topologies Faster-RCNN: the figures are mIoU of FCNs'],
  rows: parseRows(`
# ResNet-18 FCN-32s
Full precision [122] | 32/32 | 64.9 | float
LQ-Nets [61] | 3/3 | 62.5 | lq-nets
Group-Net [122] | 1/1 | 60.5 | group-net
Group-Net + BPAC [122] | 1/1 | 63.8 | group-net-bpac
Group-Net** + BPAC [122] | 1/1 | 65.1 |
# ResNet-18 FCN-16s
Full precision [122] | 32/32 | 67.3 | float
LQ-Nets [61] | 3/3 | 65.1 | lq-nets
Group-Net [122] | 1/1 | 62.7 | group-net
Group-Net + BPAC [122] | 1/1 | 66.3 | group-net-bpac
Group-Net** + BPAC [122] | 1/1 | 67.7 |
# ResNet-34 FCN-32s
Full precision [122] | 32/32 | 72.7 | float
LQ-Nets [61] | 3/3 | 70.4 | lq-nets
Group-Net [122] | 1/1 | 68.2 | group-net
Group-Net + BPAC [122] | 1/1 | 71.2 | group-net-bpac
Group-Net** + BPAC [122] | 1/1 | 72.8 |
# ResNet-50 FCN-32s
Full precision [122] | 32/32 | 73.1 | float
LQ-Nets [61] | 3/3 | 70.7 | lq-nets
Group-Net [122] | 1/1 | 67.2 | group-net
Group-Net + BPAC [122] | 1/1 | 70.4 | group-net-bpac
Group-Net** + BPAC [122] | 1/1 | 71.0 |
`),
};
