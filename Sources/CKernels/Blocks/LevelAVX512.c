#include "Levels.h"

// The features one by one: named as an architecture, clang would keep to vectors of 256 bits.
#if defined(__x86_64__)
#pragma clang attribute push( \
  __attribute__((target("avx2,bmi,bmi2,avx512f,avx512bw,avx512dq,avx512vl"))), apply_to = function)
#define KIST_HAS_SHUFFLE 1
#define KIST_HAS_PERMUTE 1
#define KERNEL(NAME) kist_avx512_##NAME
#include "Kernels.h"
#pragma clang attribute pop
#endif
