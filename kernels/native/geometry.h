// Convolution and pooling geometries; field order as in src/backend/flat-kernels.ts.
#pragma once
#include <algorithm>

#include "span.h"

namespace signum {

struct ConvGeometry {
  int batch, height, width, in_channels, kernel_height, kernel_width, out_channels;
  int stride, pad, dilation, groups, out_height, out_width;

  explicit ConvGeometry(const Ints& g) {
    require(g, 13, "convolution geometry");
    const int32_t* f = g.data;
    batch = f[0], height = f[1], width = f[2], in_channels = f[3], kernel_height = f[4], kernel_width = f[5];
    out_channels = f[6], stride = f[7], pad = f[8], dilation = f[9], groups = f[10], out_height = f[11], out_width = f[12];
  }
  int taps() const { return kernel_height * kernel_width; }
  int group_in() const { return in_channels / groups; }
  int group_out() const { return out_channels / groups; }
  size_t in_pixels() const { return size_t(batch) * height * width; }
  size_t out_pixels() const { return size_t(batch) * out_height * out_width; }
  size_t in_size() const { return in_pixels() * in_channels; }
  size_t out_size() const { return out_pixels() * out_channels; }
  size_t filter_size() const { return size_t(taps()) * group_in() * out_channels; }
};

struct PoolGeometry {
  int batch, height, width, channels, window, stride, pad, out_height, out_width;

  explicit PoolGeometry(const Ints& g) {
    require(g, 9, "pooling geometry");
    const int32_t* f = g.data;
    batch = f[0], height = f[1], width = f[2], channels = f[3], window = f[4];
    stride = f[5], pad = f[6], out_height = f[7], out_width = f[8];
  }
  size_t in_size() const { return size_t(batch) * height * width * channels; }
  size_t out_size() const { return size_t(batch) * out_height * out_width * channels; }
};

struct BlockCopy {
  int32_t counts[3], length;
  struct Runs {
    int32_t offset, steps[3];

    // How many values an array must have.
    size_t extent(const BlockCopy& g) const {
      size_t end = size_t(offset) + g.length;
      for (int i = 0; i < 3; i++) end += size_t(g.counts[i] - 1) * steps[i];
      return end;
    }
  } from, to;

  explicit BlockCopy(const Ints& g) {
    require(g, 12, "copy geometry");
    for (int i = 0; i < 12; i++)
      if (g.data[i] < (i < 3)) throw std::runtime_error("copy geometry: field " + std::to_string(i) + " is too small");
    std::copy_n(g.data, 3, counts);
    length = g.data[3];
    const auto runs = [](const int32_t* f) { return Runs{f[0], {f[1], f[2], f[3]}}; };
    from = runs(g.data + 4);
    to = runs(g.data + 8);
  }
};

}  // namespace signum
