// Single-precision matrix product: packed panels, 6 rows by kPanelVectors vectors of accumulators (Goto and van de Geijn 2008).
namespace gemm {

constexpr int kRows = 6;
constexpr int kDepth = 384;       // a B panel of this depth stays in L1
constexpr int kRowBlock = 24 * kRows;  // an A block of this height stays in L2
constexpr int kColumnBlock = 3072;

// How `total` columns are cut into panels: few columns make one panel of few vectors, not a wide one that is mostly padding.
struct Panels {
  int vectors, columns, count;
  explicit Panels(int total) {
    vectors = 1;
    while (vectors < kPanelVectors && vectors * kLanes < total) vectors *= 2;
    columns = vectors * kLanes;
    count = (total + columns - 1) / columns;
  }
  // body(the number of vectors as a constant)
  template <class Body>
  void with_vectors(const Body& body) const { as_constant<kPanelVectors>(vectors, body); }
};

// panels of kRows rows: [panel][k][kRows], zero beyond m
static void pack_rows(bool transposed, const float* a, int lda, int m, int k, float* out) {
  for (int i0 = 0; i0 < m; i0 += kRows) {
    const int rows = std::min(kRows, m - i0);
    for (int l = 0; l < k; l++) {
      for (int i = 0; i < rows; i++) out[i] = transposed ? a[size_t(l) * lda + i0 + i] : a[size_t(i0 + i) * lda + l];
      for (int i = rows; i < kRows; i++) out[i] = 0;
      out += kRows;
    }
  }
}

// one panel of `width` columns, whole vectors: [k][width], zero beyond `columns`
static void pack_panel(bool transposed, const float* b, int ldb, int k, int columns, int width, float* out) {
  for (int l = 0; l < k; l++, out += width) {
    if (transposed) {
      for (int j = 0; j < columns; j++) out[j] = b[size_t(j) * ldb + l];
      for (int j = columns; j < width; j++) out[j] = 0;
    } else {
      const float* row = b + size_t(l) * ldb;
      // a partial load fills its vector with zeros
      by_vectors(columns, [&](int j, auto extent) { store(out + j, load(row + j, extent)); });
      for (int j = (columns + kLanes - 1) / kLanes * kLanes; j < width; j += kLanes) store(out + j, Vec{});
    }
  }
}

template <int kVectors>
static void micro_kernel(int k, const float* a, const float* b, float* c, int ldc, int rows, int columns, bool accumulate) {
  constexpr int kColumns = kVectors * kLanes;
  Vec acc[kRows][kVectors] = {};
  for (int l = 0; l < k; l++) {
    Vec column[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; v++) column[v] = load(b + v * kLanes);
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++) {
      const Vec row = broadcast(a[i]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) acc[i][v] = multiply_add(row, column[v], acc[i][v]);
    }
    a += kRows;
    b += kColumns;
  }
  if (rows == kRows && columns == kColumns) {
#pragma GCC unroll 6
    for (int i = 0; i < kRows; i++)
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; v++) {
        float* out = c + size_t(i) * ldc + v * kLanes;
        store(out, accumulate ? load(out) + acc[i][v] : acc[i][v]);
      }
    return;
  }
  float tile[kRows][kColumns];
  for (int i = 0; i < kRows; i++)
    for (int v = 0; v < kVectors; v++) store(&tile[i][v * kLanes], acc[i][v]);
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) {
      float& out = c[size_t(i) * ldc + j];
      out = accumulate ? out + tile[i][j] : tile[i][j];
    }
}

// Sums of the columns that one pass works on: they stay in L1 while the rows of b stream by.
constexpr int kPassSums = 4096;
constexpr int pass_columns(int rows) { return kPassSums / rows / kSumLanes * kSumLanes; }

// sums[i][j] += a[i][l] * b[l][j] for kDeep l, one after the other
template <int kCount, int kDeep>
static void add_products(const float* a, size_t row_step, size_t depth_step, const float* b, size_t ldb, int columns, float* sums) {
  Vec factors[kCount][kDeep];
  for (int i = 0; i < kCount; i++)
    for (int l = 0; l < kDeep; l++) factors[i][l] = broadcast(a[i * row_step + l * depth_step]);
  by_vectors(columns, [&](int j, auto extent) {
#pragma GCC unroll 4
    for (int i = 0; i < kCount; i++) {
      float* out = sums + i * pass_columns(kCount) + j;
      Vec sum = load(out);
#pragma GCC unroll 8
      for (int l = 0; l < kDeep; l++) sum = multiply_add(factors[i][l], load(b + l * ldb + j, extent), sum);
      store(out, sum);
    }
  });
}

// c = a b (+ c) for few rows of a: packing b would take longer than the product, so it streams through where it lies, several rows at a
// time. The sums are those of the micro-kernel: from 0 in blocks of kDepth, then block by block.
template <int kCount, int kDeep>
static void few_rows(size_t row_step, size_t depth_step, int n, int k, const float* a, const float* b, bool accumulate, float* c) {
  constexpr int kMost = pass_columns(kCount);
  const int share = std::min(kMost, (n - 1) / thread_count() + 1), width = std::min(kMost, round_up(share, 4 * kSumLanes));
  parallel_ranges((n - 1) / width + 1, 1, [&](size_t begin, size_t end, int) {
    alignas(64) float sums[kPassSums];
    for (size_t pass = begin; pass < end; pass++) {
      const int j0 = int(pass) * width, columns = std::min(width, n - j0);
      for (int l0 = 0; l0 < k; l0 += kDepth) {
        for (int i = 0; i < kCount; i++) std::memset(sums + i * kMost, 0, sizeof(float) * round_up(columns, kLanes));
        const int last = std::min(k, l0 + kDepth);
        int l = l0;
        const auto add = [&](auto deep) {
          add_products<kCount, deep>(a + l * depth_step, row_step, depth_step, b + size_t(l) * n + j0, n, columns, sums);
          l += deep;
        };
        while (l + kDeep <= last) add(std::integral_constant<int, kDeep>{});
        while (l < last) add(std::integral_constant<int, 1>{});
        for (int i = 0; i < kCount; i++) {
          float* out = c + size_t(i) * n + j0;
          const float* own = sums + i * kMost;
          by_vectors(columns, [&](int j, auto extent) {
            store(out + j, accumulate || l0 > 0 ? load(out + j, extent) + load(own + j) : load(own + j), extent);
          });
        }
      }
    }
  });
}
using FewRows = void (*)(size_t, size_t, int, int, const float*, const float*, bool, float*);
// by the number of rows; as many rows of b at a time as leaves registers for the sums
constexpr FewRows kFewRows[] = {few_rows<1, 8>, few_rows<2, 4>, few_rows<3, 2>, few_rows<4, 2>};

}  // namespace gemm

static void sgemm(int transpose_a, int transpose_b, int m, int n, int k, Floats a, Floats b, int accumulate, Floats c) {
  using namespace gemm;
  require(a, size_t(m) * k, "sgemm a");
  require(b, size_t(k) * n, "sgemm b");
  require(c, size_t(m) * n, "sgemm c");
  if (m == 0 || n == 0) return;
  if (k == 0 && !accumulate) std::memset(c.data, 0, sizeof(float) * m * n);
  const int lda = transpose_a ? m : k, ldb = transpose_b ? k : n;
  if (!transpose_b && m <= int(std::size(kFewRows)))
    return kFewRows[m - 1](transpose_a ? 1 : lda, transpose_a ? lda : 1, n, k, a.data, b.data, accumulate, c.data);
  // few rows: smaller blocks, so that every thread gets some
  const int per_thread = (m + thread_count() - 1) / thread_count();
  const int row_block = std::min(kRowBlock, std::max(kRows, (per_thread + kRows - 1) / kRows * kRows));
  const int row_blocks = (m + row_block - 1) / row_block;
  for (int j0 = 0; j0 < n; j0 += kColumnBlock) {
    const int columns = std::min(kColumnBlock, n - j0);
    const Panels panels(columns);
    const int width = panels.columns;
    for (int l0 = 0; l0 < k; l0 += kDepth) {
      const int depth = std::min(kDepth, k - l0);
      float* packed_b = scratch<float>(Scratch::kPanelB, 0, size_t(panels.count) * width * depth);
      parallel_ranges(panels.count, 4, [&](size_t begin, size_t end, int) {
        for (size_t p = begin; p < end; p++) {
          const int j = j0 + int(p) * width;
          const float* from = b.data + (transpose_b ? size_t(j) * ldb + l0 : size_t(l0) * ldb + j);
          pack_panel(transpose_b, from, ldb, depth, std::min(width, n - j), width, packed_b + p * width * depth);
        }
      });
      const bool add = accumulate || l0 > 0;
      parallel_ranges(row_blocks, 1, [&](size_t begin, size_t end, int thread) {
        float* packed_a = scratch<float>(Scratch::kPanelA, thread, size_t(row_block + kRows) * depth);
        for (size_t block = begin; block < end; block++) {
          const int i0 = int(block) * row_block, rows = std::min(row_block, m - i0);
          const float* from = a.data + (transpose_a ? size_t(l0) * lda + i0 : size_t(i0) * lda + l0);
          pack_rows(transpose_a, from, lda, rows, depth, packed_a);
          panels.with_vectors([&](auto vectors) {
            for (int p = 0; p < panels.count; p++)
              for (int i = 0; i < rows; i += kRows)
                micro_kernel<vectors>(depth, packed_a + size_t(i) * depth, packed_b + size_t(p) * width * depth,
                                      c.data + size_t(i0 + i) * n + j0 + p * width, n, std::min(kRows, rows - i),
                                      std::min(width, columns - p * width), add);
          });
        }
      });
    }
  }
}
