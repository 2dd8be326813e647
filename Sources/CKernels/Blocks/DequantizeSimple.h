// Dequantization of the types with one scale per block.
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

// Vectors are local to a level: as arguments of functions that are not inlined, they would be passed differently.
INLINE kist_u8x16 KERNEL(load)(const void *bytes) {
  kist_u8x16 x;
  memcpy(&x, bytes, sizeof(x));
  return x;
}

INLINE void KERNEL(store)(float *y, kist_f32x16 x) { memcpy(y, &x, sizeof(x)); }

INLINE kist_f32x16 KERNEL(float_of_bytes)(kist_u8x16 x) {
  return __builtin_convertvector(__builtin_convertvector(x, kist_i32x16), kist_f32x16);
}

INLINE kist_f32x16 KERNEL(float_of_signed)(kist_i8x16 x) {
  return __builtin_convertvector(__builtin_convertvector(x, kist_i32x16), kist_f32x16);
}

/// 255 where bit k of 16 is set.
INLINE kist_u8x16 KERNEL(spread_bits)(unsigned bits) {
  const kist_u8x16 places = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8_t a = (uint8_t)bits, b = (uint8_t)(bits >> 8);
  kist_u8x16 bytes = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
  return (kist_u8x16)((bytes & places) == places);
}

static void KERNEL(dequantize_q1_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q1_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 128) {
    uint32_t d = kist_bits_of_float(kist_float_of_half(x[i].d));
    UNROLL for (int j = 0; j < 8; j++) {
      const kist_u32x16 left = {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16};
      kist_u32x16 negative = ((kist_u32x16){0} + (uint32_t)(uint16_t)~kist_u16(x[i].qs + 2 * j)) << left & 1u << 31;
      KERNEL(store)(y + 16 * j, (kist_f32x16)(negative ^ d));
    }
  }
}

static void KERNEL(dequantize_q2_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q2_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 64) {
    float d = kist_float_of_half(x[i].d);
    UNROLL for (int j = 0; j < 4; j++) {
      const kist_u32x16 right = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
      kist_u32x16 q = ((kist_u32x16){0} + kist_u32(x[i].qs + 4 * j)) >> right & 3;
      KERNEL(store)(y + 16 * j, __builtin_convertvector((kist_i32x16)q - 1, kist_f32x16) * d);
    }
  }
}

static void KERNEL(dequantize_q4_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    KERNEL(store)(y, KERNEL(float_of_signed)((kist_i8x16)(q & 15) - 8) * d);
    KERNEL(store)(y + 16, KERNEL(float_of_signed)((kist_i8x16)(q >> 4) - 8) * d);
  }
}

static void KERNEL(dequantize_q4_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_1 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d), m = kist_float_of_half(x[i].m);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    KERNEL(store)(y, KERNEL(float_of_bytes)(q & 15) * d + m);
    KERNEL(store)(y + 16, KERNEL(float_of_bytes)(q >> 4) * d + m);
  }
}

static void KERNEL(dequantize_q5_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    kist_u8x16 low = (q & 15) | (KERNEL(spread_bits)(kist_u16(x[i].qh)) & 16);
    kist_u8x16 high = q >> 4 | (KERNEL(spread_bits)(kist_u16(x[i].qh + 2)) & 16);
    KERNEL(store)(y, KERNEL(float_of_signed)((kist_i8x16)low - 16) * d);
    KERNEL(store)(y + 16, KERNEL(float_of_signed)((kist_i8x16)high - 16) * d);
  }
}

static void KERNEL(dequantize_q5_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_1 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d), m = kist_float_of_half(x[i].m);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    kist_u8x16 low = (q & 15) | (KERNEL(spread_bits)(kist_u16(x[i].qh)) & 16);
    kist_u8x16 high = q >> 4 | (KERNEL(spread_bits)(kist_u16(x[i].qh + 2)) & 16);
    KERNEL(store)(y, KERNEL(float_of_bytes)(low) * d + m);
    KERNEL(store)(y + 16, KERNEL(float_of_bytes)(high) * d + m);
  }
}

/// 32 signed bytes.
INLINE void KERNEL(scale_bytes)(const int8_t *restrict qs, float d, float *restrict y) {
  KERNEL(store)(y, KERNEL(float_of_signed)((kist_i8x16)KERNEL(load)(qs)) * d);
  KERNEL(store)(y + 16, KERNEL(float_of_signed)((kist_i8x16)KERNEL(load)(qs + 16)) * d);
}

static void KERNEL(dequantize_q8_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_0 *x = source;
  for (size_t i = 0; i < count; i++) KERNEL(scale_bytes)(x[i].qs, kist_float_of_half(x[i].d), y + 32 * i);
}

// GGML has no function for it, but what it means is plain.
static void KERNEL(dequantize_q8_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_1 *x = source;
  for (size_t i = 0; i < count; i++) KERNEL(scale_bytes)(x[i].qs, kist_float_of_half(x[i].d), y + 32 * i);
}

/// 16 places in a table of 16 values.
INLINE kist_f32x16 KERNEL(look_up)(kist_u8x16 places, const int8_t values[16]) {
#if KIST_HAS_SHUFFLE
  kist_u8x16 table = KERNEL(load)(values);
  return KERNEL(float_of_signed)((kist_i8x16)__builtin_ia32_pshufb128((kist_shuffled)table, (kist_shuffled)places));
#else
  kist_f32x16 x;
  for (int j = 0; j < 16; j++) x[j] = values[places[j]];
  return x;
#endif
}

static void KERNEL(dequantize_iq4_nl)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq4_nl *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    KERNEL(store)(y, KERNEL(look_up)(q & 15, kist_iq4_values) * d);
    KERNEL(store)(y + 16, KERNEL(look_up)(q >> 4, kist_iq4_values) * d);
  }
}

static void KERNEL(dequantize_mxfp4)(const void *restrict source, size_t count, float *restrict y) {
  const kist_mxfp4 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_half_of_e8m0(x[i].e);
    kist_u8x16 q = KERNEL(load)(x[i].qs);
    KERNEL(store)(y, KERNEL(look_up)(q & 15, kist_doubled_e2m1) * d);
    KERNEL(store)(y + 16, KERNEL(look_up)(q >> 4, kist_doubled_e2m1) * d);
  }
}

static void KERNEL(dequantize_nvfp4)(const void *restrict source, size_t count, float *restrict y) {
  const kist_nvfp4 *x = source;
  for (size_t i = 0; i < count; i++, y += 64)
    for (int s = 0; s < 4; s += 2) {
      // Two sub-blocks of 16 numbers: the low halves of 8 bytes, then the high ones.
      kist_u8x16 q = KERNEL(load)(x[i].qs + 8 * s), low = q & 15, high = q >> 4;
      kist_u8x16 first = __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      kist_u8x16 second = __builtin_shufflevector(
        low, high, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
      KERNEL(store)(y + 16 * s, KERNEL(look_up)(first, kist_doubled_e2m1) * kist_half_of_ue4m3(x[i].d[s]));
      KERNEL(store)(y + 16 * s + 16, KERNEL(look_up)(second, kist_doubled_e2m1) * kist_half_of_ue4m3(x[i].d[s + 1]));
    }
}

// Ternary types: 5 digits to a byte as a fraction of 256, or 2 bits each.

/// Digit n of each of 16 bytes that hold 5 digits of base 3.
INLINE kist_f32x16 KERNEL(ternary_digits)(kist_u8x16 bytes, int n, float d) {
  static const uint8_t powers[5] = {1, 3, 9, 27, 81};
  kist_u16x16 fractions = __builtin_convertvector(bytes * powers[n], kist_u16x16);
  kist_i8x16 digits = __builtin_convertvector(fractions * 3 >> 8, kist_i8x16);
  return KERNEL(float_of_signed)(digits - 1) * d;
}

static void KERNEL(dequantize_tq1_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_tq1_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 256) {
    float d = kist_float_of_half(x[i].d);
    UNROLL for (int n = 0; n < 5; n++) {
      KERNEL(store)(y + 32 * n, KERNEL(ternary_digits)(KERNEL(load)(x[i].qs), n, d));
      KERNEL(store)(y + 32 * n + 16, KERNEL(ternary_digits)(KERNEL(load)(x[i].qs + 16), n, d));
      KERNEL(store)(y + 160 + 16 * n, KERNEL(ternary_digits)(KERNEL(load)(x[i].qs + 32), n, d));
    }
    for (int k = 0; k < 16; k++) {
      static const uint8_t powers[4] = {1, 3, 9, 27};
      uint8_t fraction = (uint8_t)(x[i].qh[k % 4] * powers[k / 4]);
      y[240 + k] = (float)((fraction * 3 >> 8) - 1) * d;
    }
  }
}

static void KERNEL(dequantize_tq2_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_tq2_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 256) {
    float d = kist_float_of_half(x[i].d);
    UNROLL for (int s = 0; s < 16; s++) {
      kist_u8x16 q = KERNEL(load)(x[i].qs + 32 * (s / 8) + 16 * (s % 2)) >> 2 * (s / 2 % 4) & 3;
      KERNEL(store)(y + 16 * s, KERNEL(float_of_signed)((kist_i8x16)q - 1) * d);
    }
  }
}
