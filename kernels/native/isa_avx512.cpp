#define SIGNUM_ISA avx512
#define SIGNUM_ISA_NAME "avx512"
#include "isa.inl"
