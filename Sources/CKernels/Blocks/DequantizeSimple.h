// Dequantization of the types with one scale per block.
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

void KERNEL(dequantize_q1_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q1_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 128) {
    uint32_t d = kist_bits_of_float(kist_float_of_half(x[i].d));
    for (int j = 0; j < 16; j++)
      for (int k = 0; k < 8; k++) {
        uint32_t negative = ~(uint32_t)x[i].qs[j] >> k & 1;
        y[8 * j + k] = kist_float_of_bits(d ^ negative << 31);
      }
  }
}

void KERNEL(dequantize_q2_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q2_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 64) {
    float d = kist_float_of_half(x[i].d);
    for (int j = 0; j < 16; j++)
      for (int k = 0; k < 4; k++) y[4 * j + k] = (float)((x[i].qs[j] >> 2 * k & 3) - 1) * d;
  }
}

void KERNEL(dequantize_q4_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    for (int j = 0; j < 16; j++) {
      y[j] = (float)((x[i].qs[j] & 15) - 8) * d;
      y[j + 16] = (float)((x[i].qs[j] >> 4) - 8) * d;
    }
  }
}

void KERNEL(dequantize_q4_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q4_1 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d), m = kist_float_of_half(x[i].m);
    for (int j = 0; j < 16; j++) {
      y[j] = (float)(x[i].qs[j] & 15) * d + m;
      y[j + 16] = (float)(x[i].qs[j] >> 4) * d + m;
    }
  }
}

void KERNEL(dequantize_q5_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    uint32_t high = kist_u32(x[i].qh);
    for (int j = 0; j < 16; j++) {
      y[j] = (float)((int)((x[i].qs[j] & 15) | (high >> j & 1) << 4) - 16) * d;
      y[j + 16] = (float)((int)(x[i].qs[j] >> 4 | (high >> (j + 16) & 1) << 4) - 16) * d;
    }
  }
}

void KERNEL(dequantize_q5_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q5_1 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d), m = kist_float_of_half(x[i].m);
    uint32_t high = kist_u32(x[i].qh);
    for (int j = 0; j < 16; j++) {
      y[j] = (float)(int)((x[i].qs[j] & 15) | (high >> j & 1) << 4) * d + m;
      y[j + 16] = (float)(int)(x[i].qs[j] >> 4 | (high >> (j + 16) & 1) << 4) * d + m;
    }
  }
}

void KERNEL(dequantize_q8_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    for (int j = 0; j < 32; j++) y[j] = (float)x[i].qs[j] * d;
  }
}

// GGML has no function for it, but what it means is plain.
void KERNEL(dequantize_q8_1)(const void *restrict source, size_t count, float *restrict y) {
  const kist_q8_1 *x = source;
  for (size_t i = 0; i < count; i++, y += 32) {
    float d = kist_float_of_half(x[i].d);
    for (int j = 0; j < 32; j++) y[j] = (float)x[i].qs[j] * d;
  }
}

/// `numbers / 2` bytes with an index into a table of 16 values in each half: low halves first, then the high ones.
INLINE void KERNEL(look_up)(const uint8_t *restrict qs, int numbers, const float values[16], float d, float *restrict y) {
  for (int j = 0; j < numbers / 2; j++) {
    y[j] = values[qs[j] & 15] * d;
    y[j + numbers / 2] = values[qs[j] >> 4] * d;
  }
}

void KERNEL(dequantize_iq4_nl)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq4_nl *x = source;
  for (size_t i = 0; i < count; i++)
    KERNEL(look_up)(x[i].qs, 32, kist_iq4_values, kist_float_of_half(x[i].d), y + 32 * i);
}

void KERNEL(dequantize_mxfp4)(const void *restrict source, size_t count, float *restrict y) {
  const kist_mxfp4 *x = source;
  for (size_t i = 0; i < count; i++)
    KERNEL(look_up)(x[i].qs, 32, kist_doubled_e2m1, kist_half_of_e8m0(x[i].e), y + 32 * i);
}

void KERNEL(dequantize_nvfp4)(const void *restrict source, size_t count, float *restrict y) {
  const kist_nvfp4 *x = source;
  for (size_t i = 0; i < count; i++)
    for (int s = 0; s < 4; s++)
      KERNEL(look_up)(x[i].qs + 8 * s, 16, kist_doubled_e2m1, kist_half_of_ue4m3(x[i].d[s]), y + 64 * i + 16 * s);
}

// Ternary types: 5 digits to a byte as a fraction of 256, or 2 bits each.

/// Digit n of `width` bytes that hold 5 digits of base 3.
INLINE void KERNEL(ternary_digits)(const uint8_t *restrict bytes, int width, int n, float d, float *restrict y) {
  static const uint8_t powers[5] = {1, 3, 9, 27, 81};
  for (int m = 0; m < width; m++) {
    uint8_t fraction = (uint8_t)(bytes[m] * powers[n]);
    y[m] = (float)((fraction * 3 >> 8) - 1) * d;
  }
}

void KERNEL(dequantize_tq1_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_tq1_0 *x = source;
  for (size_t i = 0; i < count; i++, y += 256) {
    float d = kist_float_of_half(x[i].d);
    for (int n = 0; n < 5; n++) KERNEL(ternary_digits)(x[i].qs, 32, n, d, y + 32 * n);
    for (int n = 0; n < 5; n++) KERNEL(ternary_digits)(x[i].qs + 32, 16, n, d, y + 160 + 16 * n);
    for (int n = 0; n < 4; n++) KERNEL(ternary_digits)(x[i].qh, 4, n, d, y + 240 + 4 * n);
  }
}

void KERNEL(dequantize_tq2_0)(const void *restrict source, size_t count, float *restrict y) {
  const kist_tq2_0 *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int j = 0; j < 64; j += 32)
      for (int l = 0; l < 4; l++, y += 32)
        for (int m = 0; m < 32; m++) y[m] = (float)((x[i].qs[j + m] >> 2 * l & 3) - 1) * d;
  }
}
