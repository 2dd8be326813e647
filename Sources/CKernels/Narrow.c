#include "CKernels.h"
#include "Blocks/Halves.h"
#include "Clones.h"

#pragma STDC FP_CONTRACT OFF

/// To the nearest, ties to even; a NaN stays a quiet NaN.
INLINE uint16_t bf16_of_float(float value) {
  uint32_t bits = kist_bits_of_float(value);
  uint32_t rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  return (uint16_t)((bits & 0x7FFFFFFF) > 0x7F800000 ? bits >> 16 | 0x40 : rounded);
}

/// To the nearest, ties to even; subnormals too, by adding the number whose last bit weighs what theirs does.
INLINE uint16_t half_of_float(float value) {
  uint32_t bits = kist_bits_of_float(value), magnitude = bits & 0x7FFFFFFF;
  uint32_t normal = (magnitude - (112u << 23) + 0xFFF + (magnitude >> 13 & 1)) >> 13;
  float small = kist_float_of_bits(magnitude < 113u << 23 ? magnitude : 0) + 0.5f;
  uint32_t subnormal = kist_bits_of_float(small) - kist_bits_of_float(0.5f);
  uint32_t large = magnitude > 0x7F800000 ? 0x7E00 : 0x7C00;
  uint32_t half = magnitude >= 0x477FF000 ? large : magnitude < 113u << 23 ? subnormal : normal;
  return (uint16_t)(half | (bits >> 16 & 0x8000));
}

#define NARROW(NAME, CONVERT)                                                                  \
  KIST_CLONES void NAME(const float *restrict values, size_t count, void *restrict target) {   \
    for (size_t i = 0; i < count; i++) {                                                       \
      uint16_t bits = CONVERT(values[i]);                                                      \
      memcpy((char *)target + 2 * i, &bits, 2);                                                \
    }                                                                                          \
  }

NARROW(kist_f32_to_bf16, bf16_of_float)
NARROW(kist_f32_to_f16, half_of_float)
