// Compares the best instruction set of the CPU this runs on with the scalar one, on random shapes: for architectures that the test
// machine can only emulate. Built and run by scripts/check-neon.sh; the full property tests run wherever Node does.
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "dispatch.h"
#include "geometry.h"

using namespace signum;

namespace {
std::mt19937 engine(1);

int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); }

std::vector<float> normal(size_t size) {
  std::normal_distribution<float> distribution;
  std::vector<float> values(size);
  for (float& value : values) value = distribution(engine);
  return values;
}

Floats span(std::vector<float>& v) { return {v.data(), v.size()}; }
Words span(std::vector<uint32_t>& v) { return {v.data(), v.size()}; }
Ints span(std::vector<int32_t>& v) { return {v.data(), v.size()}; }

double relative_error(const std::vector<float>& a, const std::vector<float>& b) {
  double worst = 0, scale = 1e-3;
  for (size_t i = 0; i < a.size(); i++) {
    scale = std::max(scale, double(std::fabs(b[i])));
    worst = std::max(worst, double(std::fabs(a[i] - b[i])));
  }
  return worst / scale;
}

bool check(const KernelTable& fast, const KernelTable& scalar, int round) {
  const int kernel = between(1, 3), pad = between(0, 2), stride = between(1, 2), groups = between(1, 2);
  const int height = between(kernel, 9), width = between(kernel, 21), batch = between(1, 3);
  const int in = groups * between(1, 70), out = groups * between(1, 40);
  std::vector<int32_t> fields = {batch, height, width, in, kernel, kernel, out, stride, pad, 1, groups,
                                 (height + 2 * pad - kernel) / stride + 1, (width + 2 * pad - kernel) / stride + 1};
  const ConvGeometry g(span(fields));
  auto x = normal(g.in_size()), w = normal(g.filter_size()), dy = normal(g.out_size()), alpha = normal(out);
  struct Outputs {
    std::vector<int32_t> dots;
    std::vector<float> y, dx, dw, slope, copied, sign_y, sign_dx, sign_dw;
  } results[2];
  // every `stride`-th pixel, between other channels
  const int rows = (height - 1) / stride + 1, columns = (width - 1) / stride + 1, wider = in + 3;
  std::vector<int32_t> copy = {batch, rows, columns, in, 0, height * width * in, stride * width * in, stride * in,
                               1, rows * columns * wider, columns * wider, wider};
  const KernelTable* tables[2] = {&fast, &scalar};
  for (int t = 0; t < 2; t++) {
    const KernelTable& k = *tables[t];
    Outputs& r = results[t];
    std::vector<uint32_t> bits(g.in_pixels() * words_per_row(in)), filter(size_t(out) * g.taps() * words_per_row(g.group_in()));
    k.packSigns(span(x), span(bits), int(g.in_pixels()), in);
    k.packFilterSigns(span(w), span(filter), g.taps(), g.group_in(), out);
    std::vector<uint32_t> prepared(size_t(groups) * ((g.group_out() + 31) / 32) * 32 * g.taps() * words_per_row(g.group_in()) * 2 + g.taps() * out + 17);
    k.prepareXnorFilter(span(filter), span(prepared), span(fields));
    r.dots.resize(g.out_size());
    k.xnorConv2d(span(bits), span(prepared), span(r.dots), span(fields), round % 2);
    r.y.resize(g.out_size()), r.dx.resize(g.in_size()), r.dw.resize(g.filter_size()), r.slope.resize(g.in_size());
    k.conv2d(span(x), span(w), span(r.y), span(fields));
    k.conv2dBackwardInput(span(dy), span(w), span(r.dx), span(fields));
    k.conv2dBackwardFilter(span(x), span(dy), span(r.dw), span(fields));
    r.sign_y.resize(g.out_size()), r.sign_dx.resize(g.in_size()), r.sign_dw.resize(g.filter_size());
    k.conv2dSigns(span(x), span(filter), span(alpha), span(r.sign_y), span(fields));
    k.conv2dBackwardInputSigns(span(dy), span(filter), span(alpha), span(r.sign_dx), span(fields));
    k.conv2dBackwardFilterSigns(span(bits), span(dy), span(r.sign_dw), span(fields), round % 2);
    r.copied.resize(size_t(batch) * rows * columns * wider);
    k.copyBlocks(span(x), span(r.copied), span(copy));
    for (int op = 0; op < 9; op++) k.unaryBackward(op, span(x), span(x), span(r.slope), 2.0f, 1.0f);
  }
  const Outputs &a = results[0], &b = results[1];
  const bool good = a.dots == b.dots && a.copied == b.copied && relative_error(a.y, b.y) < 1e-4 && relative_error(a.dx, b.dx) < 1e-4 &&
                    relative_error(a.sign_y, b.sign_y) < 1e-4 && relative_error(a.sign_dx, b.sign_dx) < 1e-4 &&
                    relative_error(a.sign_dw, b.sign_dw) < 1e-4 && relative_error(a.dw, b.dw) < 1e-4 && relative_error(a.slope, b.slope) < 1e-4;
  if (!good) std::printf("round %d differs: %dx%dx%d kernel %d out %d groups %d\n", round, height, width, in, kernel, out, groups);
  return good;
}
}  // namespace

int main() {
  const auto tables = supported_tables();
  int failed = 0;
  constexpr int kRounds = 200;
  for (int round = 0; round < kRounds; round++) failed += !check(*tables.front(), *tables.back(), round);
  std::printf("%s against %s: %d passed, %d failed\n", tables.front()->name, tables.back()->name, kRounds - failed, failed);
  return failed ? 1 : 0;
}
