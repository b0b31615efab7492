// written by scripts/add-to-zoo.mjs
export const networks = [
  {
    "id": "cnv6-bnn-fashion-mnist",
    "model": "cnv6",
    "width": 1,
    "method": "bnn",
    "bits": {
      "weight": 1,
      "activation": 1
    },
    "data": "fashion-mnist",
    "classes": [
      "T-shirt",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot"
    ],
    "input": [
      28,
      28,
      1
    ],
    "accuracy": 0.9288,
    "epochs": 8,
    "bytes": 209672,
    "latentBytes": null,
    "paper": "Hubara et al., NeurIPS 2016",
    "license": "Apache-2.0",
    "command": "signum train --model cnv6 --method bnn --data fashion-mnist --width 1 --epochs 8 --batch 64 --optimizer adam --rate 0.002 --schedule cosine --loss cross-entropy --label-smoothing 0 --pad-crop 0 --flip --seed 1"
  },
  {
    "id": "lfc-bnn-mnist",
    "model": "lfc",
    "width": 1,
    "method": "bnn",
    "bits": {
      "weight": 1,
      "activation": 1
    },
    "data": "mnist",
    "classes": [
      "0",
      "1",
      "2",
      "3",
      "4",
      "5",
      "6",
      "7",
      "8",
      "9"
    ],
    "input": [
      28,
      28,
      1
    ],
    "accuracy": 0.987,
    "epochs": 60,
    "bytes": 381893,
    "latentBytes": null,
    "paper": "Hubara et al., NeurIPS 2016",
    "license": "Apache-2.0",
    "command": "signum train --model lfc --method bnn --data mnist --width 1 --epochs 60 --batch 100 --optimizer adam --rate 0.001 --schedule cosine --loss cross-entropy --label-smoothing 0 --pad-crop 1 --no-flip --seed 1"
  }
];
