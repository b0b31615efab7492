// The AVX-512 intrinsics that the kernels use, from SIMDe: only for scripts/check-emulated.mjs.
#pragma once
#include <immintrin.h>
#include <simde/x86/avx512.h>
#define __m512 simde__m512
#define __m512i simde__m512i
#define _mm512_add_epi64 simde_mm512_add_epi64
#define _mm512_cmp_ps_mask simde_mm512_cmp_ps_mask
#define _mm512_fmadd_ps simde_mm512_fmadd_ps
#define _mm512_loadu_si512 simde_mm512_loadu_si512
#define _mm512_permutex2var_epi32 simde_mm512_permutex2var_epi32
#define _mm512_popcnt_epi64 simde_mm512_popcnt_epi64
#define _mm512_set1_epi64 simde_mm512_set1_epi64
#define _mm512_sqrt_ps simde_mm512_sqrt_ps
#define _mm512_set_epi32 simde_mm512_set_epi32
#define _mm512_setzero_si512 simde_mm512_setzero_si512
#define _mm512_test_epi32_mask simde_mm512_test_epi32_mask
#define _mm512_xor_si512 simde_mm512_xor_si512
#define SIGNUM_AVX512 1
