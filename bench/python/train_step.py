"""Training step of a binary network simulated in float, as PyTorch users write it (sign forward, tanh-shaped slope backward,
standardised weights with a power-of-two scale): img/s and peak memory of this process, as JSON.

usage: train_step.py resnet20|vgg-small batch threads nchw|nhwc eager|compiled
"""
import json
import resource
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

model_name, batch, threads, layout, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
torch.set_num_threads(threads)


class Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        t = 1.0
        return g * t * (1 - torch.tanh(x * t) ** 2)


class BinaryConv(nn.Conv2d):
    def forward(self, x):
        w = self.weight
        w = w - w.mean((1, 2, 3), keepdim=True)
        w = w / w.std((1, 2, 3), keepdim=True)
        scale = torch.pow(2.0, torch.log2(w.abs().mean((1, 2, 3), keepdim=True)).round()).detach()
        return F.conv2d(Sign.apply(x), Sign.apply(w) * scale, None, self.stride, self.padding)


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = BinaryConv(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = BinaryConv(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.grow = outputs - inputs

    def forward(self, x):
        shortcut = x if self.grow == 0 else F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.grow // 2, self.grow // 2))
        y = F.hardtanh(self.bn1(self.conv1(x)) + shortcut)
        return F.hardtanh(self.bn2(self.conv2(y)) + y)


class ResNet20(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.Hardtanh())
        sizes = [(16, 16, 1)] * 3 + [(16, 32, 2), (32, 32, 1), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 64, 1)]
        self.blocks = nn.Sequential(*[Block(*size) for size in sizes])
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


def vgg_small():
    layers = [nn.Conv2d(3, 128, 3, 1, 1, bias=False), nn.BatchNorm2d(128), nn.Hardtanh()]
    for inputs, outputs, pool in [(128, 128, True), (128, 256, False), (256, 256, True), (256, 512, False), (512, 512, True)]:
        layers += [BinaryConv(inputs, outputs, 3, 1, 1, bias=False)]
        layers += [nn.MaxPool2d(2)] if pool else []
        layers += [nn.BatchNorm2d(outputs), nn.Hardtanh()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512 * 16, 10))


model = ResNet20() if model_name == "resnet20" else vgg_small()
x, y = torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))
if layout == "nhwc":
    model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
optimizer = torch.optim.SGD(model.parameters(), 0.1, 0.9, weight_decay=1e-4)


forward = torch.compile(model) if mode == "compiled" else model


def step():
    optimizer.zero_grad()
    F.cross_entropy(forward(x), y).backward()
    optimizer.step()


for _ in range(4):
    step()
steps = 20 if model_name == "resnet20" else 6
begin = time.perf_counter()
for _ in range(steps):
    step()
seconds = time.perf_counter() - begin
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"imagesPerSecond": batch * steps / seconds, "peakMegabytes": peak}))
