// What the inner kernels compute: some panels of outputs at some neighbouring pixels of a row.
namespace xnor {

// Where the taps lie behind an output pixel's first one. Neighbours in a row of the filter are neighbours in the image: one run.
struct Runs {
  std::vector<long> starts;
  int units;
};

template <class Unit>
struct TileOf {
  const Unit* image;
  long pixel_step;
  const Runs& runs;
  const uint8_t* weights;
  size_t panel_bytes;
  // of the output: index of the first pixel, first channel, number of channels
  size_t pixel;
  int channel;
  int channels;
  // per pixel and channel: dot = base - 2 * popcount
  const int32_t* const* base;
};

// emit(channel, extent) takes the channels of one vector; what it returns takes (pixel, dots). `counts_of(pixel)` are of channels
// `first` to `first` + kLanes of the tile.
template <int kPixels, class Tile, class Extent, class Counts, class Emit>
static inline void emit_vector(const Tile& t, int first, Extent extent, const Counts& counts_of, const Emit& emit) {
  const auto sink = emit(t.channel + first, extent);
  const size_t pixel = t.pixel;
  const int32_t* const* base = t.base;
  const int channel = t.channel + first;
#pragma GCC unroll 6
  for (int p = 0; p < kPixels; p++) sink(pixel + p, wrapping_difference(load(base[p] + channel, extent), 2 * counts_of(p)));
}

// the same for those of the channels that exist
template <int kPixels, class Tile, class Counts, class Emit>
static inline void emit_vector(const Tile& t, int first, const Counts& counts_of, const Emit& emit) {
  if (first + kLanes <= t.channels) {
    emit_vector<kPixels>(t, first, Whole{}, counts_of, emit);
  } else if (first < t.channels) {
    emit_vector<kPixels>(t, first, Part{t.channels - first}, counts_of, emit);
  }
}

}  // namespace xnor
