// Copies of runs at regular distances: joins and slices of channels, subsampling.

static void copyBlocks(Floats x, Floats y, Ints geometry) {
  const BlockCopy g(geometry);
  require(x, g.from.extent(g), "copyBlocks x");
  require(y, std::max(g.to.extent(g), g.total()), "copyBlocks y");
  if (g.total() == 0) return;
  const size_t lines = size_t(g.counts[0]) * g.counts[1], line = size_t(g.counts[2]) * g.length;
  parallel_ranges(lines, 1 + 32768 / (line + 1), [&](size_t begin, size_t end, int) {
    for (size_t i = begin; i < end; i++) {
      const size_t a = i / g.counts[1], b = i % g.counts[1];
      const float* from = x.data + g.from.offset + a * g.from.steps[0] + b * g.from.steps[1];
      float* to = y.data + g.to.offset + a * g.to.steps[0] + b * g.to.steps[1];
      for (int c = 0; c < g.counts[2]; c++) {
        by_vectors(g.length, [&](int k, auto e) { store(to + k, load(from + k, e), e); });
        from += g.from.steps[2];
        to += g.to.steps[2];
      }
    }
  });
}
