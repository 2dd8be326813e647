#include "CKernels.h"
#include "Blocks/Halves.h"
#include "Clones.h"

#pragma STDC FP_CONTRACT OFF

INLINE float load_f32(const void *source, size_t i) {
  float x;
  memcpy(&x, (const char *)source + 4 * i, 4);
  return x;
}

INLINE uint16_t load_u16(const void *source, size_t i) {
  uint16_t x;
  memcpy(&x, (const char *)source + 2 * i, 2);
  return x;
}

INLINE float load_bf16(const void *source, size_t i) { return kist_float_of_bits((uint32_t)load_u16(source, i) << 16); }

INLINE float load_f16(const void *source, size_t i) { return kist_float_of_half_bits(load_u16(source, i)); }

#define WIDEN(NAME, NUMBER, LOAD)                                                                \
  KIST_CLONES void NAME(const void *restrict source, size_t count, NUMBER *restrict values) {    \
    for (size_t i = 0; i < count; i++) values[i] = LOAD(source, i);                              \
  }

WIDEN(kist_widen_f32, double, load_f32)
WIDEN(kist_widen_bf16, double, load_bf16)
WIDEN(kist_widen_f16, double, load_f16)
WIDEN(kist_bf16_to_f32, float, load_bf16)
WIDEN(kist_f16_to_f32, float, load_f16)
