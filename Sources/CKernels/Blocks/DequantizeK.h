// Dequantization of the K types: super-blocks of 256 numbers in sub-blocks whose scales are quantized themselves.
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

static void KERNEL(dequantize_q2_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q2_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    UNROLL for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * (float)(x[i].scales[s] & 15), minimum = dmin * (float)(x[i].scales[s] >> 4);
      const uint8_t *q = x[i].qs + 32 * (s / 8) + 16 * (s % 2);
      KERNEL(store)(y, KERNEL(float_of_bytes)(KERNEL(load)(q) >> 2 * (s / 2 % 4) & 3) * scale - minimum);
    }
  }
}

/// The 6-bit scales of Q3_K, less 32: low 4 bits in 8 bytes, high 2 bits in 4.
INLINE void KERNEL(unpack_q3_scales)(const uint8_t *restrict packed, float scales[16]) {
  for (int s = 0; s < 16; s++) {
    int low = packed[s % 8] >> 4 * (s / 8) & 15, high = packed[8 + s % 4] >> 2 * (s / 4) & 3;
    scales[s] = (float)((low | high << 4) - 32);
  }
}

static void KERNEL(dequantize_q3_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q3_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), scales[16];
    KERNEL(unpack_q3_scales)(x[i].scales, scales);
    UNROLL for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * scales[s];
      const uint8_t *q = x[i].qs + 32 * (s / 8) + 16 * (s % 2), *high = x[i].hmask + 16 * (s % 2);
      kist_u8x16 number = (KERNEL(load)(q) >> 2 * (s / 2 % 4) & 3) | (KERNEL(load)(high) >> s / 2 & 1) << 2;
      KERNEL(store)(y, KERNEL(float_of_signed)((kist_i8x16)number - 4) * scale);
    }
  }
}

/// The eight 6-bit scales and minimums of Q4_K and Q5_K.
INLINE void KERNEL(unpack_k4_scales)(const uint8_t *restrict packed, uint8_t scales[8], uint8_t minimums[8]) {
  for (int j = 0; j < 4; j++) {
    scales[j] = packed[j] & 63;
    minimums[j] = packed[j + 4] & 63;
    scales[j + 4] = (uint8_t)((packed[j + 8] & 15) | packed[j] >> 6 << 4);
    minimums[j + 4] = (uint8_t)(packed[j + 8] >> 4 | packed[j + 4] >> 6 << 4);
  }
}

static void KERNEL(dequantize_q4_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    uint8_t scales[8], minimums[8];
    KERNEL(unpack_k4_scales)(x[i].scales, scales, minimums);
    UNROLL for (int s = 0; s < 8; s += 2, y += 64) {
      const uint8_t *q = x[i].qs + 16 * s;
      float d1 = d * (float)scales[s], m1 = dmin * (float)minimums[s];
      float d2 = d * (float)scales[s + 1], m2 = dmin * (float)minimums[s + 1];
      UNROLL for (int l = 0; l < 32; l += 16) {
        kist_u8x16 quants = KERNEL(load)(q + l);
        KERNEL(store)(y + l, KERNEL(float_of_bytes)(quants & 15) * d1 - m1);
        KERNEL(store)(y + l + 32, KERNEL(float_of_bytes)(quants >> 4) * d2 - m2);
      }
    }
  }
}

static void KERNEL(dequantize_q5_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    uint8_t scales[8], minimums[8];
    KERNEL(unpack_k4_scales)(x[i].scales, scales, minimums);
    UNROLL for (int s = 0; s < 8; s += 2, y += 64) {
      const uint8_t *q = x[i].qs + 16 * s, *high = x[i].qh;
      float d1 = d * (float)scales[s], m1 = dmin * (float)minimums[s];
      float d2 = d * (float)scales[s + 1], m2 = dmin * (float)minimums[s + 1];
      UNROLL for (int l = 0; l < 32; l += 16) {
        kist_u8x16 quants = KERNEL(load)(q + l), bits = KERNEL(load)(high + l);
        kist_u8x16 first = (quants & 15) | (bits >> s & 1) << 4, second = quants >> 4 | (bits >> (s + 1) & 1) << 4;
        KERNEL(store)(y + l, KERNEL(float_of_bytes)(first) * d1 - m1);
        KERNEL(store)(y + l + 32, KERNEL(float_of_bytes)(second) * d2 - m2);
      }
    }
  }
}

static void KERNEL(dequantize_q6_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q6_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    // Sub-block s: quarter (s / 2 % 4) of 128 numbers takes a half of a byte of ql and 2 bits of qh.
    UNROLL for (int s = 0; s < 16; s++, y += 16) {
      int half = s / 8, quarter = s / 2 % 4, first = 16 * (s % 2);
      const uint8_t *low = x[i].ql + 64 * half + 32 * (quarter % 2) + first, *high = x[i].qh + 32 * half + first;
      kist_u8x16 number =
        (KERNEL(load)(low) >> 4 * (quarter / 2) & 15) | (KERNEL(load)(high) >> 2 * quarter & 3) << 4;
      KERNEL(store)(y, KERNEL(float_of_signed)((kist_i8x16)number - 32) * (d * (float)x[i].scales[s]));
    }
  }
}

static void KERNEL(dequantize_q8_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_k *x = source;
  for (size_t i = 0; i < count; i++, y += 256) {
    float d = kist_float_of_bits(kist_u32(x[i].d));
    for (int j = 0; j < 256; j += 32) KERNEL(scale_bytes)(x[i].qs + j, d, y + j);
  }
}

static void KERNEL(dequantize_iq4_xs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq4_xs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    unsigned high = kist_u16(x[i].scales_h);
    UNROLL for (int s = 0; s < 8; s++, y += 32) {
      int scale = (x[i].scales_l[s / 2] >> 4 * (s % 2) & 15) | (int)(high >> 2 * s & 3) << 4;
      float dl = d * (float)(scale - 32);
      kist_u8x16 q = KERNEL(load)(x[i].qs + 16 * s);
      KERNEL(store)(y, KERNEL(look_up)(q & 15, kist_iq4_values) * dl);
      KERNEL(store)(y + 16, KERNEL(look_up)(q >> 4, kist_iq4_values) * dl);
    }
  }
}
