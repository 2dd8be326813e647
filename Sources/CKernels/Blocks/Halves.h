// Small floating point formats as f32, bit by bit: no processor's own conversion is trusted with NaNs.

#ifndef KIST_HALVES_H
#define KIST_HALVES_H

#include "Blocks.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

INLINE float kist_float_of_bits(uint32_t bits) {
  float value;
  memcpy(&value, &bits, 4);
  return value;
}

INLINE uint32_t kist_bits_of_float(float value) {
  uint32_t bits;
  memcpy(&bits, &value, 4);
  return bits;
}

/// The exponent is rebased by an addition; a subnormal is cut out of the number 2^-14 + x, so that no subnormal f32,
/// which is slow on many processors, ever appears.
INLINE float kist_float_of_half_bits(uint16_t half) {
  const uint32_t rebase = 112u << 23, exponent_mask = 0x7C00u << 13;
  uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
  uint32_t exponent = magnitude & exponent_mask;
  uint32_t normal = magnitude + rebase + (exponent == exponent_mask ? rebase : 0);
  float small = kist_float_of_bits(magnitude + rebase + (1u << 23)) - kist_float_of_bits(113u << 23);
  uint32_t bits = exponent == 0 ? kist_bits_of_float(small) : normal;
  return kist_float_of_bits(bits | (uint32_t)(half & 0x8000) << 16);
}

INLINE uint16_t kist_u16(const uint8_t *bytes) { return (uint16_t)(bytes[0] | bytes[1] << 8); }

INLINE uint32_t kist_u32(const uint8_t *bytes) { return kist_u16(bytes) | (uint32_t)kist_u16(bytes + 2) << 16; }

INLINE float kist_float_of_half(kist_half half) { return kist_float_of_half_bits(kist_u16(half.bytes)); }

/// 2^(e-128): half of what E8M0 means, since the E2M1 values beside it are doubled. 255 is no NaN to GGML.
INLINE float kist_half_of_e8m0(uint8_t e) {
  return kist_float_of_bits(e < 2 ? 0x00200000u << e : (uint32_t)(e - 1) << 23);
}

/// Half of an unsigned E4M3 number; 0x7F is 0 to GGML, and the highest bit means nothing.
INLINE float kist_half_of_ue4m3(uint8_t x) {
  if (x == 0 || x == 0x7F) return 0;
  uint32_t exponent = x >> 3 & 15, mantissa = x & 7;
  if (exponent == 0) return (float)mantissa * 0x1p-10f;
  return kist_float_of_bits((exponent + 119) << 23 | mantissa << 20);
}

#endif
