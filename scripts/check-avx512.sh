#!/usr/bin/env bash
# Runs the AVX-512 kernels, emulated by SIMDe, against AVX2 and scalar ones: equal bits, whatever the set and the threads. For machines
# whose CPU has no AVX-512. Needs g++ and Debian's libsimde-dev. Usage: scripts/check-avx512.sh [random shapes]
set -euo pipefail
cd "$(dirname "$0")/../kernels/native"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=c++20 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -Wno-psabi -Wno-maybe-uninitialized -pthread"
# emulated vectors are passed on the stack, which the compiler then takes to be aligned as they are
flags="$flags -mpreferred-stack-boundary=6"
emulate="-DSIGNUM_EMULATE_AVX512"
g++ $flags -mavx2 -mfma -mpopcnt $emulate -c isa_avx512.cpp -o "$out/avx512.o" &
g++ $flags -mavx2 -mfma -mpopcnt -c isa_avx2.cpp -o "$out/avx2.o"
g++ $flags $emulate -c dispatch.cpp -o "$out/dispatch.o"
wait $!
g++ $flags cross_check.cpp thread_pool.cpp isa_scalar.cpp "$out"/*.o -o "$out/check"
"$out/check" "$@"
