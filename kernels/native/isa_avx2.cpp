#define SIGNUM_ISA avx2
#define SIGNUM_ISA_NAME "avx2"
#include "isa.inl"
