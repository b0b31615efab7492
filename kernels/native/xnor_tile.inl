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

// emit(pixel, channel, dots, extent)
template <class Tile, class Extent, class Emit>
static inline void emit_counts(const Tile& t, int pixel, int channel, VecInt counts, Extent extent, const Emit& emit) {
  channel += t.channel;
  emit(t.pixel + pixel, channel, load(t.base[pixel] + channel, extent) - 2 * counts, extent);
}

// the same for those of kLanes channels that exist
template <class Tile, class Emit>
static inline void emit_counts(const Tile& t, int pixel, int channel, VecInt counts, const Emit& emit) {
  if (channel + kLanes <= t.channels) {
    emit_counts(t, pixel, channel, counts, Whole{}, emit);
  } else if (channel < t.channels) {
    emit_counts(t, pixel, channel, counts, Part{t.channels - channel}, emit);
  }
}

}  // namespace xnor
