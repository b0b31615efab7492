// Runs every kernel on random shapes by every instruction set that this CPU has, with 1, 2 and 4 threads: all outputs, sums of floats
// too, must have the same bits. Prints a digest of them, which must be the same on every architecture:
// scripts/check-emulated.mjs compares. The meaning of the kernels is tested where Node runs.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "dispatch.h"
#include "geometry.h"
#include "thread_pool.h"

using namespace signum;

namespace {

struct Shape {
  int batch, height, width, in, kernel, out, stride, pad, dilation, groups;
};

// Integers of the engine only: the library's distributions of floats may differ between architectures.
struct Source {
  std::mt19937 engine;
  int between(int low, int high) { return low + int(engine() % unsigned(high - low + 1)); }
  float value() { return float(int(engine() >> 8) - (1 << 23)) * 0x1p-22f; }
  std::vector<float> floats(size_t size) {
    std::vector<float> values(size);
    for (float& v : values) v = value();
    return values;
  }
};

template <class T>
Span<T> span(std::vector<T>& v) { return {v.data(), v.size()}; }

struct Output {
  std::string kernel;
  std::vector<uint32_t> bits;
};

class Run {
 public:
  Run(const KernelTable& table, unsigned seed) : k(table), source{std::mt19937(seed)} {}

  std::vector<Output> all(const Shape& s) {
    convolutions(s);
    products();
    const int rows = source.between(1, 700), channels = source.between(1, 90);
    signs(rows, channels);
    reductions(rows, channels);
    pooling(s);
    elementwise(source.between(1, 3000));
    return outputs;
  }

 private:
  const KernelTable& k;
  Source source;
  std::vector<Output> outputs;

  template <class T>
  void keep(const char* kernel, const std::vector<T>& values) {
    Output output{kernel, std::vector<uint32_t>(values.size())};
    std::memcpy(output.bits.data(), values.data(), 4 * values.size());
    outputs.push_back(std::move(output));
  }
  // call(a fresh output)
  template <class T = float, class Call>
  void keep(const char* kernel, size_t size, const Call& call) {
    std::vector<T> out(size, T(1));
    call(span(out));
    keep(kernel, out);
  }

  void convolutions(const Shape& s) {
    const auto out_side = [&](int side) { return (side + 2 * s.pad - s.dilation * (s.kernel - 1) - 1) / s.stride + 1; };
    std::vector<int32_t> fields = {s.batch, s.height, s.width, s.in, s.kernel, s.kernel, s.out, s.stride, s.pad, s.dilation, s.groups,
                                   out_side(s.height), out_side(s.width)};
    const Ints geometry = span(fields);
    const ConvGeometry g(geometry);
    auto x = source.floats(g.in_size()), w = source.floats(g.filter_size()), dy = source.floats(g.out_size());
    auto alpha = source.floats(s.out), scale = source.floats(s.out), shift = source.floats(s.out);
    const size_t words_in = words_per_row(g.group_in());
    std::vector<uint32_t> bits(g.in_pixels() * words_per_row(s.in)), filter(size_t(s.out) * g.taps() * words_in);
    k.packSigns(span(x), span(bits), int(g.in_pixels()), s.in);
    k.packFilterSigns(span(w), span(filter), g.taps(), g.group_in(), s.out);
    keep("packSigns", bits);
    keep("packFilterSigns", filter);
    const size_t filters = size_t(s.groups) * ((g.group_out() + 31) / 32) * 32;
    std::vector<uint32_t> prepared(filters * g.taps() * words_in * 2 + g.taps() * s.out + 64);
    k.prepareXnorFilter(span(filter), span(prepared), geometry);
    std::vector<int32_t> threshold(s.out), flip(s.out);
    for (int c = 0; c < s.out; c++) threshold[c] = source.between(-9, 9), flip[c] = source.between(0, 1);
    const Words b = span(bits), p = span(prepared), f = span(filter);
    for (int zero = 0; zero < 2; zero++) {
      keep<int32_t>("xnorConv2d", g.out_size(), [&](Ints y) { k.xnorConv2d(b, p, y, geometry, zero); });
      keep("xnorConv2dScaled", g.out_size(),
           [&](Floats y) { k.xnorConv2dScaled(b, p, span(alpha), span(scale), span(shift), y, geometry, zero); });
      keep<uint32_t>("xnorConv2dThreshold", g.out_pixels() * words_per_row(s.out),
                     [&](Words y) { k.xnorConv2dThreshold(b, p, span(threshold), span(flip), y, geometry, zero); });
      keep("conv2dBackwardFilterSigns", w.size(), [&](Floats y) { k.conv2dBackwardFilterSigns(b, span(dy), y, geometry, zero); });
    }
    keep("conv2d", dy.size(), [&](Floats y) { k.conv2d(span(x), span(w), y, geometry); });
    keep("conv2dBackwardInput", x.size(), [&](Floats y) { k.conv2dBackwardInput(span(dy), span(w), y, geometry); });
    keep("conv2dBackwardFilter", w.size(), [&](Floats y) { k.conv2dBackwardFilter(span(x), span(dy), y, geometry); });
    keep("conv2dSigns", dy.size(), [&](Floats y) { k.conv2dSigns(span(x), f, span(alpha), y, geometry); });
    keep("conv2dBackwardInputSigns", x.size(), [&](Floats y) { k.conv2dBackwardInputSigns(span(dy), f, span(alpha), y, geometry); });
    // every second pixel, between other channels
    const int rows = (s.height + 1) / 2, columns = (s.width + 1) / 2, wider = s.in + 3;
    std::vector<int32_t> copy = {s.batch, rows, columns, s.in, 0, s.height * s.width * s.in, 2 * s.width * s.in, 2 * s.in,
                                 1, rows * columns * wider, columns * wider, wider};
    keep("copyBlocks", size_t(s.batch) * rows * columns * wider, [&](Floats y) { k.copyBlocks(span(x), y, span(copy)); });
  }

  void products() {
    const int m = source.between(1, 70), n = source.between(1, 70), depth = source.between(1, 900);
    auto a = source.floats(size_t(m) * depth), b = source.floats(size_t(n) * depth);
    // few rows go another way
    for (const int rows : {m, std::min(m, source.between(1, 5))})
      for (int how = 0; how < 8; how++)
        keep("sgemm", size_t(rows) * n,
             [&](Floats c) { k.sgemm(how & 1, how >> 1 & 1, rows, n, depth, span(a), span(b), how >> 2, c); });
    std::vector<uint32_t> left(m * words_per_row(depth)), right(n * words_per_row(depth));
    k.packSigns(span(a), span(left), m, depth);
    k.packSigns(span(b), span(right), n, depth);
    keep<int32_t>("xnorGemm", size_t(m) * n, [&](Ints c) { k.xnorGemm(span(left), span(right), c, m, n, depth); });
  }

  void signs(int rows, int channels) {
    const size_t size = size_t(rows) * channels, words = rows * words_per_row(channels);
    auto x = source.floats(size), scale = source.floats(channels), shift = source.floats(channels);
    std::vector<uint32_t> bits(words);
    k.packWithin(span(x), -0.5f, 0.75f, span(bits), rows, channels);
    keep("packWithin", bits);
    keep<uint32_t>("packAffineSigns", words,
                   [&](Words y) { k.packAffineSigns(span(x), span(scale), span(shift), y, rows, channels); });
    keep("unpackSigns", size, [&](Floats y) { k.unpackSigns(span(bits), y, rows, channels); });
    keep("maskBits", size, [&](Floats y) { k.maskBits(span(x), span(bits), y, rows, channels); });
  }

  void reductions(int rows, int channels) {
    const size_t size = size_t(rows) * channels;
    auto x = source.floats(size), dy = source.floats(size), factor = source.floats(rows);
    auto scale = source.floats(channels), shift = source.floats(channels), mean = source.floats(channels);
    const Floats a = span(x), b = span(dy), none{nullptr, 0};
    std::vector<float> first(channels), second(channels), third(size);
    k.channelMoments(a, span(first), span(second), rows, channels);
    keep("channelMoments", first);
    keep("channelMoments", second);
    std::vector<float> fourth(size);
    for (const bool sloped : {false, true}) {
      const float low = sloped ? -1 : -INFINITY, high = sloped ? 1 : INFINITY;
      k.batchNormBackward(a, a, b, sloped ? b : none, kTanhSte, 0.5f, 2, low, high, span(mean), span(shift), span(scale), span(fourth),
                          span(third), span(first), span(second), rows, channels);
      for (const auto& result : {fourth, third, first, second}) keep("batchNormBackward", result);
    }
    k.preluBackward(a, span(scale), b, span(third), span(first), rows, channels);
    keep("preluBackward", third);
    keep("preluBackward", first);
    for (const Floats& residual : {b, none})
      keep("channelAffine", size,
           [&](Floats y) { k.channelAffine(a, span(scale), span(shift), residual, -1, 1, y, rows, channels); });
    keep("prelu", size, [&](Floats y) { k.prelu(a, span(scale), y, rows, channels); });
    keep("columnSums", channels, [&](Floats y) { k.columnSums(a, y, rows, channels); });
    keep("columnAbsSums", channels, [&](Floats y) { k.columnAbsSums(a, y, rows, channels); });
    keep("columnDots", channels, [&](Floats y) { k.columnDots(a, b, y, rows, channels); });
    keep("rowAbsMeans", rows, [&](Floats y) { k.rowAbsMeans(a, y, rows, channels); });
    keep("rowDots", rows, [&](Floats y) { k.rowDots(a, b, y, rows, channels); });
    keep("rowScale", size, [&](Floats y) { k.rowScale(a, span(factor), y, rows, channels); });
  }

  void pooling(const Shape& s) {
    const int window = source.between(1, std::min({3, s.height, s.width})), stride = source.between(1, 2), pad = window > 1;
    std::vector<int32_t> fields = {s.batch, s.height, s.width, s.in, window, stride, pad, (s.height + 2 * pad - window) / stride + 1,
                                   (s.width + 2 * pad - window) / stride + 1};
    const Ints geometry = span(fields);
    const PoolGeometry g(geometry);
    auto x = source.floats(g.in_size()), dy = source.floats(g.out_size());
    std::vector<int32_t> indices(g.out_size());
    keep("maxPool", g.out_size(), [&](Floats y) { k.maxPool(span(x), y, span(indices), geometry); });
    keep("maxPool", indices);
    keep("maxPoolBackward", g.in_size(), [&](Floats y) { k.maxPoolBackward(span(dy), span(indices), y, geometry); });
    keep("avgPool", g.out_size(), [&](Floats y) { k.avgPool(span(x), y, geometry); });
    keep("avgPoolBackward", g.in_size(), [&](Floats y) { k.avgPoolBackward(span(dy), y, geometry); });
  }

  // A fifth of the values is small, down to denormal numbers: 2^-0 to 2^-139.
  std::vector<float> spread(size_t size) {
    auto values = source.floats(size);
    for (float& v : values)
      if (source.between(0, 4) == 0)
        for (int i = source.between(0, 139); i > 0; i--) v *= 0.5f;
    return values;
  }

  void elementwise(size_t size) {
    auto x = spread(size), dy = spread(size);
    const Floats a = span(x), b = span(dy);
    for (int op = 0; op < kUnaryOps; op++) {
      keep("unary", size, [&](Floats y) { k.unary(op, a, y); });
      keep("unaryBackward", size, [&](Floats y) { k.unaryBackward(op, a, b, y, 2.0f, 1.5f); });
    }
    keep("maskWithin", size, [&](Floats y) { k.maskWithin(b, a, -1, 1, y); });
    keep("add", size, [&](Floats y) { k.add(a, b, y); });
    keep("multiply", size, [&](Floats y) { k.multiply(a, b, y); });
    keep("blend", size, [&](Floats y) { k.blend(a, 0.3f, 0.7f, y); });
    auto clamped = x;
    k.clamp(span(clamped), -0.5f, 0.5f);
    keep("clamp", clamped);
    for (int nesterov = 0; nesterov < 2; nesterov++)
      step("sgdStep", size, [&](Floats w, Floats m, Floats) { k.sgdStep(w, b, m, 0.1f, 0.9f, 1e-4f, nesterov); });
    step("adamStep", size,
         [&](Floats w, Floats m, Floats v) { k.adamStep(w, b, m, v, 0.1f, 0.9f, 0.99f, 1e-8f, 1e-4f, 0.5f, 0.25f); });
    step("adamaxStep", size, [&](Floats w, Floats m, Floats v) { k.adamaxStep(w, b, m, v, 0.1f, 0.9f, 0.99f, 1e-8f, 1e-4f, 0.5f); });
    step("rmspropStep", size, [&](Floats w, Floats, Floats v) { k.rmspropStep(w, b, v, 0.1f, 0.9f, 1e-8f, 1e-4f); });
  }

  template <class Call>
  void step(const char* kernel, size_t size, const Call& call) {
    auto w = spread(size), m = spread(size), v = spread(size);
    for (float& value : v) value = value < 0 ? -value : value;
    call(span(w), span(m), span(v));
    for (const auto& values : {w, m, v}) keep(kernel, values);
  }
};

Shape random_shape(Source& source) {
  Shape s;
  s.kernel = source.between(1, 3), s.stride = source.between(1, 2), s.dilation = source.between(1, 2);
  s.groups = source.between(1, 2), s.batch = source.between(1, 5);
  const int least = s.dilation * (s.kernel - 1) + 1;
  s.pad = source.between(0, std::min(2, least - 1));
  s.height = source.between(least, 9), s.width = source.between(least, 21);
  s.in = s.groups * source.between(1, 70), s.out = s.groups * source.between(1, 40);
  return s;
}

// More than one block of whatever is cut into blocks: images, channels, rows.
const Shape large[] = {
    {24, 16, 16, 64, 3, 64, 1, 1, 1, 1}, {7, 32, 32, 3, 3, 16, 1, 1, 1, 1},  {40, 8, 8, 96, 3, 24, 2, 1, 1, 1},
    {96, 1, 1, 300, 1, 130, 1, 0, 1, 1}, {64, 1, 1, 500, 1, 10, 1, 0, 1, 1}, {9, 20, 20, 260, 3, 20, 1, 1, 1, 1},
    {3, 14, 14, 130, 3, 33, 1, 1, 1, 1}, {5, 12, 12, 48, 3, 48, 1, 1, 1, 48}, {12, 28, 28, 40, 5, 8, 1, 2, 1, 1},
};

uint64_t digest_of(const std::vector<Output>& outputs, uint64_t digest) {
  for (const Output& output : outputs)
    for (const uint32_t word : output.bits) digest = (digest ^ word) * 0x100000001b3;  // FNV-1a by words
  return digest;
}

}  // namespace

int main(int count, char** arguments) {
  const int rounds = count > 1 ? std::stoi(arguments[1]) : 150;
  constexpr int kLarge = int(std::size(large));
  const auto tables = supported_tables();
  std::set<std::string> seen, different;
  uint64_t digest = 0xcbf29ce484222325;
  for (int round = 0; round < rounds + kLarge; round++) {
    Source source{std::mt19937(1000 + round)};
    const Shape shape = round < kLarge ? large[round] : random_shape(source);
    std::vector<Output> expected;
    for (const KernelTable* table : tables)
      for (const int threads : {1, 2, 4}) {
        set_thread_count(threads);
        const auto outputs = Run(*table, round).all(shape);
        if (expected.empty()) {
          expected = outputs;
          digest = digest_of(outputs, digest);
          for (const Output& output : outputs) seen.insert(output.kernel);
        }
        for (size_t i = 0; i < outputs.size(); i++) {
          if (outputs[i].bits == expected[i].bits) continue;
          if (different.insert(outputs[i].kernel + " " + table->name).second)
            std::printf("%s: %s with %d threads differs from %s, round %d: %dx%dx%dx%d kernel %d out %d stride %d pad %d dilation %d groups %d\n",
                        outputs[i].kernel.c_str(), table->name, threads, tables.front()->name, round, shape.batch, shape.height, shape.width,
                        shape.in, shape.kernel, shape.out, shape.stride, shape.pad, shape.dilation, shape.groups);
        }
      }
  }
  // the layout of a prepared filter is each set's own, and the peak is a benchmark
  seen.insert({"prepareXnorFilter", "xnorPeak"});
#define X(kernel, ...) \
  if (!seen.count(#kernel)) different.insert(#kernel), std::printf("%s was never called: call it in cross_check.cpp\n", #kernel);
  SIGNUM_KERNELS(X)
#undef X
  for (const KernelTable* table : tables) std::printf("%s ", table->name);
  std::printf("with 1, 2 and 4 threads, %d shapes, digest %016llx: %s\n", rounds + kLarge, (unsigned long long)digest,
              different.empty() ? "equal bits" : "DIFFERENT");
  return different.empty() ? 0 : 1;
}
