#include "Levels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#define KIST_HAS_SHUFFLE 1
#define KIST_HAS_PERMUTE 0
#define KERNEL(NAME) kist_avx2_##NAME
#include "Kernels.h"
#pragma clang attribute pop
#endif
