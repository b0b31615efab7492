// Convolution and pooling geometries; their fields come from kernel_list.h. Kernels trust what these constructors let pass: whatever
// JavaScript sends, sizes agree with each other and their products do not overflow.
#pragma once
#include <algorithm>
#include <initializer_list>

#include "kernel_list.h"
#include "span.h"

namespace signum {

// What a geometry describes is held in arrays whose offsets fit an int32.
constexpr int64_t kMostElements = INT32_MAX;

inline void expect(bool holds, const char* geometry, const char* rule) {
  if (!holds) throw std::runtime_error(std::string(geometry) + " geometry: " + rule);
}

inline void expect_countable(const char* geometry, std::initializer_list<int64_t> factors) {
  int64_t total = 1;
  for (const int64_t factor : factors) {
    expect(factor >= 0 && (factor == 0 || total <= kMostElements / factor), geometry, "more values than an array can hold");
    total *= factor;
  }
}

// `reach` is what a window, or a dilated kernel, extends over.
inline bool outputs_follow(int64_t size, int64_t pad, int64_t reach, int64_t stride, int64_t outputs) {
  const int64_t rest = size + 2 * pad - reach;
  return rest >= 0 && outputs == rest / stride + 1;
}

// What the lists of fields are for: members, their number, their values word after word.
#define SIGNUM_MEMBER(field) int field;
#define SIGNUM_ONE(field) +1
#define SIGNUM_TAKE(field) field = *word++;

struct ConvGeometry {
  SIGNUM_CONV_FIELDS(SIGNUM_MEMBER)

  explicit ConvGeometry(const Ints& g) {
    require(g, SIGNUM_CONV_FIELDS(SIGNUM_ONE), "convolution geometry");
    const int32_t* word = g.data;
    SIGNUM_CONV_FIELDS(SIGNUM_TAKE)
    check();
    // a stride beyond the image is never taken: outputs are 1 x 1
    stride = std::min(stride, std::max(height, width) + 2 * pad);
  }
  int taps() const { return kernel_height * kernel_width; }
  int group_in() const { return in_channels / groups; }
  int group_out() const { return out_channels / groups; }
  size_t in_pixels() const { return size_t(batch) * height * width; }
  size_t out_pixels() const { return size_t(batch) * out_height * out_width; }
  size_t in_size() const { return in_pixels() * in_channels; }
  size_t out_size() const { return out_pixels() * out_channels; }
  size_t filter_size() const { return size_t(taps()) * group_in() * out_channels; }

 private:
  void check() const {
    constexpr const char* kWhat = "convolution";
    expect(batch >= 0, kWhat, "batch is negative");
    for (const int size : {height, width, in_channels, kernel_height, kernel_width, out_channels, stride, dilation, groups, out_height, out_width})
      expect(size >= 1, kWhat, "a size, stride, dilation or group count is below 1");
    expect(in_channels % groups == 0 && out_channels % groups == 0, kWhat, "groups do not divide the channels");
    const int64_t tall = int64_t(dilation) * (kernel_height - 1) + 1, wide = int64_t(dilation) * (kernel_width - 1) + 1;
    expect(pad >= 0 && pad < std::max(tall, wide), kWhat, "padding is negative or not below the dilated kernel");
    const int64_t padded_height = height + 2 * int64_t(pad), padded_width = width + 2 * int64_t(pad);
    expect(outputs_follow(height, pad, tall, stride, out_height) && outputs_follow(width, pad, wide, stride, out_width), kWhat,
           "the output size does not follow from the input's");
    // whole words of bits and fours of channels are rounded up
    const int64_t inputs = int64_t(in_channels) + 64 * int64_t(groups), outputs = int64_t(out_channels) + 64 * int64_t(groups);
    expect_countable(kWhat, {std::max(batch, 1), padded_height, padded_width, inputs});
    expect_countable(kWhat, {std::max(batch, 1), out_height, out_width, outputs});
    expect_countable(kWhat, {kernel_height, kernel_width, inputs / groups, outputs});
  }
};

struct PoolGeometry {
  SIGNUM_POOL_FIELDS(SIGNUM_MEMBER)

  explicit PoolGeometry(const Ints& g) {
    require(g, SIGNUM_POOL_FIELDS(SIGNUM_ONE), "pooling geometry");
    const int32_t* word = g.data;
    SIGNUM_POOL_FIELDS(SIGNUM_TAKE)
    check();
    stride = std::min(stride, std::max(height, width) + 2 * pad);
  }
  size_t in_image() const { return size_t(height) * width * channels; }
  size_t out_image() const { return size_t(out_height) * out_width * channels; }
  size_t in_size() const { return batch * in_image(); }
  size_t out_size() const { return batch * out_image(); }

 private:
  void check() const {
    constexpr const char* kWhat = "pooling";
    expect(batch >= 0, kWhat, "batch is negative");
    for (const int size : {height, width, channels, window, stride, out_height, out_width})
      expect(size >= 1, kWhat, "a size, window or stride is below 1");
    expect(pad >= 0 && pad < window, kWhat, "padding is negative or not below the window");
    expect(outputs_follow(height, pad, window, stride, out_height) && outputs_follow(width, pad, window, stride, out_width), kWhat,
           "the output size does not follow from the input's");
    expect_countable(kWhat, {std::max(batch, 1), height + 2 * int64_t(pad), width + 2 * int64_t(pad), channels});
    expect_countable(kWhat, {std::max(batch, 1), out_height, out_width, channels});
  }
};

struct BlockCopy {
  int32_t counts[3], length;
  struct Runs {
    int32_t offset, steps[3];

    // How many values an array must have.
    size_t extent(const BlockCopy& g) const {
      if (g.total() == 0) return 0;
      size_t end = size_t(offset) + g.length;
      for (int i = 0; i < 3; i++) end += size_t(g.counts[i] - 1) * steps[i];
      return end;
    }
  } from, to;

  explicit BlockCopy(const Ints& g) {
    require(g, 12, "copy geometry");
    for (int i = 0; i < 12; i++) expect(g.data[i] >= 0, "copy", "a field is negative");
    std::copy_n(g.data, 3, counts);
    length = g.data[3];
    expect_countable("copy", {counts[0], counts[1], counts[2], length});
    const auto runs = [](const int32_t* f) { return Runs{f[0], {f[1], f[2], f[3]}}; };
    from = runs(g.data + 4);
    to = runs(g.data + 8);
  }

  // Values copied. Fewer places than these would be written more than once.
  size_t total() const { return size_t(counts[0]) * counts[1] * counts[2] * length; }
};

}  // namespace signum
