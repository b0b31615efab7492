#!/usr/bin/env bash
# The native kernels under AddressSanitizer and UBSan: hostile calls, then the tests of kernels and runtime; the thread pool under ThreadSanitizer too.
# `--short` makes fewer calls and leaves the tests out. Needs g++ with its sanitizers (Debian's g++ brings them) and a built clone.
set -euo pipefail
cd "$(dirname "$0")/.."
calls=100000
[ "${1:-}" = --short ] && calls=20000
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
node=$(dirname "$(dirname "$(node -p process.execPath)")")
headers=${npm_config_nodedir:-$(npm config get nodedir 2>/dev/null)}
[ -d "$headers/include/node" ] || headers=$node
[ -f "$headers/include/node/node_api.h" ] || { echo "node_api.h not found under $headers/include/node: set npm_config_nodedir"; exit 1; }
flags="-std=c++20 -O1 -g -fPIC -fno-math-errno -fno-trapping-math -ffp-contract=off -Wno-psabi -Wno-maybe-uninitialized -pthread"
native=kernels/native

g++ $flags -fsanitize=thread $native/pool_check.cpp $native/thread_pool.cpp -o "$out/pool-threads" && "$out/pool-threads"
# alignment: vectors may be loaded from anywhere, which the types of vec.h say and the sanitizer does not see through casts
checked="$flags -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=undefined"
g++ $checked $native/pool_check.cpp $native/thread_pool.cpp -o "$out/pool-memory" && "$out/pool-memory"

sets="scalar"
[ "$(uname -m)" = x86_64 ] && sets="scalar avx2 avx512"
[ "$(uname -m)" = aarch64 ] && sets="scalar neon"
for set in $sets; do
  if [ $set = avx512 ] && ! grep -q avx512_vpopcntdq /proc/cpuinfo; then
    # never chosen here: an empty table spares compiling it (check-emulated.mjs does)
    echo '#include "kernel_table.h"
      namespace signum::avx512 { extern const KernelTable table; const KernelTable table{}; }' |
      g++ $checked -I$native -x c++ -c - -o "$out/avx512.o"
    continue
  fi
  case $set in
    avx2) isa="-mavx2 -mfma -mpopcnt" ;;
    avx512) isa="-mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vpopcntdq -mfma -mpopcnt -mprefer-vector-width=512" ;;
    *) isa="" ;;
  esac
  g++ $checked $isa -c "$native/isa_$set.cpp" -o "$out/$set.o" &
done
g++ $checked -I"$headers/include/node" -c $native/addon.cpp -o "$out/addon.o"
g++ $checked -c $native/dispatch.cpp -o "$out/dispatch.o"
g++ $checked -c $native/thread_pool.cpp -o "$out/thread_pool.o"
wait
g++ $checked -shared "$out"/*.o -o "$out/signum.node"

export SIGNUM_ADDON="$out/signum.node"
export ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1
preload="$(g++ -print-file-name=libasan.so):$(g++ -print-file-name=libubsan.so)"
run=(node --conditions signum-source --import tsx)
for threads in 1 2; do
  LD_PRELOAD=$preload SIGNUM_THREADS=$threads "${run[@]}" src/backend/hostile-calls.testing.ts native $calls $((threads * 1000000)) 2>"$out/log" ||
    { tail -n 40 "$out/log"; echo "hostile calls: failed"; exit 1; }
done
LD_PRELOAD=$preload SIGNUM_THREADS=2 "${run[@]}" src/backend/native/threads.testing.ts 3 100 3
[ "${1:-}" = --short ] || LD_PRELOAD=$preload npx vitest run --maxWorkers=1 src/backend/boundary.test.ts src/backend/xnor.test.ts src/backend/float-kernels.test.ts src/runtime
echo "sanitizers: nothing found"
