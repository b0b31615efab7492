#!/usr/bin/env bash
# Cross-compiles the NEON kernels and runs them under QEMU against the scalar ones.
# Needs Debian's g++-aarch64-linux-gnu and qemu-user.
set -euo pipefail
cd "$(dirname "$0")/../kernels/native"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
flags="-std=c++20 -O2 -fno-math-errno -fno-trapping-math -ffp-contract=off -Wno-psabi -static -pthread"
aarch64-linux-gnu-g++ $flags cross_check.cpp dispatch.cpp thread_pool.cpp isa_neon.cpp isa_scalar.cpp -o "$out/check"
qemu-aarch64 "$out/check"
