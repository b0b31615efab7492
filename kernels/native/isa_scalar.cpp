#define SIGNUM_ISA scalar
#define SIGNUM_ISA_NAME "scalar"
#include "isa.inl"
