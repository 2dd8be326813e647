// Dequantization of the K types: super-blocks of 256 numbers in sub-blocks whose scales are quantized themselves.
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

void KERNEL(dequantize_q2_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q2_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * (float)(x[i].scales[s] & 15), minimum = dmin * (float)(x[i].scales[s] >> 4);
      const uint8_t *q = x[i].qs + 32 * (s / 8) + 16 * (s % 2);
      int shift = 2 * (s / 2 % 4);
      for (int l = 0; l < 16; l++) y[l] = scale * (float)(q[l] >> shift & 3) - minimum;
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

void KERNEL(dequantize_q3_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q3_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), scales[16];
    KERNEL(unpack_q3_scales)(x[i].scales, scales);
    for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * scales[s];
      const uint8_t *q = x[i].qs + 32 * (s / 8) + 16 * (s % 2), *high = x[i].hmask + 16 * (s % 2);
      int shift = 2 * (s / 2 % 4), bit = s / 2;
      for (int l = 0; l < 16; l++) y[l] = scale * (float)((q[l] >> shift & 3) + 4 * (high[l] >> bit & 1) - 4);
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

void KERNEL(dequantize_q4_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    uint8_t scales[8], minimums[8];
    KERNEL(unpack_k4_scales)(x[i].scales, scales, minimums);
    for (int s = 0; s < 8; s += 2, y += 64) {
      const uint8_t *q = x[i].qs + 16 * s;
      float d1 = d * (float)scales[s], m1 = dmin * (float)minimums[s];
      float d2 = d * (float)scales[s + 1], m2 = dmin * (float)minimums[s + 1];
      for (int l = 0; l < 32; l++) y[l] = d1 * (float)(q[l] & 15) - m1;
      for (int l = 0; l < 32; l++) y[l + 32] = d2 * (float)(q[l] >> 4) - m2;
    }
  }
}

void KERNEL(dequantize_q5_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d), dmin = kist_float_of_half(x[i].dmin);
    uint8_t scales[8], minimums[8];
    KERNEL(unpack_k4_scales)(x[i].scales, scales, minimums);
    for (int s = 0; s < 8; s += 2, y += 64) {
      const uint8_t *q = x[i].qs + 16 * s, *high = x[i].qh;
      float d1 = d * (float)scales[s], m1 = dmin * (float)minimums[s];
      float d2 = d * (float)scales[s + 1], m2 = dmin * (float)minimums[s + 1];
      for (int l = 0; l < 32; l++) y[l] = d1 * (float)((q[l] & 15) + (high[l] >> s & 1) * 16) - m1;
      for (int l = 0; l < 32; l++) y[l + 32] = d2 * (float)((q[l] >> 4) + (high[l] >> (s + 1) & 1) * 16) - m2;
    }
  }
}

void KERNEL(dequantize_q6_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q6_k *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    // Sub-block s: quarter (s / 2 % 4) of 128 numbers takes a half of a byte of ql and 2 bits of qh.
    for (int s = 0; s < 16; s++, y += 16) {
      int half = s / 8, quarter = s / 2 % 4, first = 16 * (s % 2);
      const uint8_t *low = x[i].ql + 64 * half + 32 * (quarter % 2) + first, *high = x[i].qh + 32 * half + first;
      int low_shift = 4 * (quarter / 2), high_shift = 2 * quarter;
      float scale = d * (float)x[i].scales[s];
      for (int l = 0; l < 16; l++)
        y[l] = scale * (float)(((low[l] >> low_shift & 15) | (high[l] >> high_shift & 3) << 4) - 32);
    }
  }
}

void KERNEL(dequantize_q8_k)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_k *x = source;
  for (size_t i = 0; i < count; i++, y += 256) {
    float d = kist_float_of_bits(kist_u32(x[i].d));
    for (int j = 0; j < 256; j++) y[j] = d * (float)x[i].qs[j];
  }
}

void KERNEL(dequantize_iq4_xs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq4_xs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    unsigned high = kist_u16(x[i].scales_h);
    for (int s = 0; s < 8; s++, y += 32) {
      int scale = (x[i].scales_l[s / 2] >> 4 * (s % 2) & 15) | (int)(high >> 2 * s & 3) << 4;
      KERNEL(look_up)(x[i].qs + 16 * s, 32, kist_iq4_values, d * (float)(scale - 32), y);
    }
  }
}
