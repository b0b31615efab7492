#!/usr/bin/env bash
# Cross-compiles the NEON kernels and runs them under QEMU; their digest must be that of this machine's own kernels, of every set it has.
# Needs Debian's g++-aarch64-linux-gnu and qemu-user. Usage: scripts/check-neon.sh [random shapes]
set -euo pipefail
cd "$(dirname "$0")/../kernels/native"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=c++20 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -Wno-psabi -pthread"
common="cross_check.cpp dispatch.cpp thread_pool.cpp isa_scalar.cpp"
aarch64-linux-gnu-g++ $flags -static $common isa_neon.cpp -o "$out/neon" &
if [ "$(uname -m)" = x86_64 ]; then
  g++ $flags -mavx2 -mfma -mpopcnt -c isa_avx2.cpp -o "$out/avx2.o"
  g++ $flags -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512vpopcntdq -mfma -mpopcnt -Wno-maybe-uninitialized -c isa_avx512.cpp -o "$out/avx512.o"
  g++ $flags $common "$out"/*.o -o "$out/own"
else
  g++ $flags $common isa_neon.cpp -o "$out/own"
fi
wait $!
qemu-aarch64 "$out/neon" "$@" | tee "$out/neon.txt"
"$out/own" "$@" | tee "$out/own.txt"
digest() { grep -o 'digest [0-9a-f]*' "$1"; }
[ "$(digest "$out/neon.txt")" = "$(digest "$out/own.txt")" ] || { echo "NEON gives other bits than this machine's own instruction sets"; exit 1; }
