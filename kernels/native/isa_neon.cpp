#define SIGNUM_ISA neon
#define SIGNUM_ISA_NAME "neon"
#include "isa.inl"
