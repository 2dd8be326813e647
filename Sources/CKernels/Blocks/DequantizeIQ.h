// Dequantization of the types that take 8 or 4 numbers at a time from a grid (Grids.h).
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

/// Two points of a grid of 8 numbers: 2-bit codes 0, 1, 2 for 8, 25, 43, and a sign each.
INLINE kist_f32x16 KERNEL(grid2)(uint32_t codes, uint32_t signs, float d) {
  const kist_u32x16 right = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
  const kist_u32x16 left = {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16};
  kist_u32x16 c = ((kist_u32x16){0} + codes) >> right & 3;
  kist_i32x16 values = (kist_i32x16)((c << 4) + c + (c >> 1) + 8);
  kist_u32x16 negative = ((kist_u32x16){0} + signs) << left & 1u << 31;
  return (kist_f32x16)((kist_u32x16)(__builtin_convertvector(values, kist_f32x16) * d) ^ negative);
}

/// Four points of a grid of 4 numbers: 3-bit codes c for c * step + step / 2 (of the highest, `extra` more), and signs.
INLINE kist_f32x16 KERNEL(grid3)(const uint16_t codes[4], int step_bits, int extra, uint32_t signs, float d) {
  const kist_u32x16 right = {0, 3, 6, 9, 12, 15, 18, 21, 0, 3, 6, 9, 12, 15, 18, 21};
  const kist_u32x16 left = {31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16};
  uint32_t a = codes[0] | (uint32_t)codes[1] << 12, b = codes[2] | (uint32_t)codes[3] << 12;
  kist_u32x16 pairs = {a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
  kist_u32x16 c = pairs >> right & 7;
  kist_i32x16 values = (kist_i32x16)((c << step_bits) + (1u << step_bits >> 1) + ((c + 1) >> 3) * (uint32_t)extra);
  kist_u32x16 negative = ((kist_u32x16){0} + signs) << left & 1u << 31;
  return (kist_f32x16)((kist_u32x16)(__builtin_convertvector(values, kist_f32x16) * d) ^ negative);
}

/// One scale for the first 8 numbers and one for the others.
INLINE kist_f32x16 KERNEL(scale_pair)(float a, float b) {
  return (kist_f32x16){a, a, a, a, a, a, a, a, b, b, b, b, b, b, b, b};
}

static void KERNEL(dequantize_iq2_xxs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_xxs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      const uint8_t *indices = x[i].qs + 8 * s;
      uint32_t rest = kist_u32(indices + 4);
      float scale = d * (0.5f + (float)(int)(rest >> 28)) * 0.25f;
      for (int l = 0; l < 4; l += 2, y += 16) {
        uint32_t codes = kist_grid_iq2_xxs[indices[l]] | (uint32_t)kist_grid_iq2_xxs[indices[l + 1]] << 16;
        uint32_t signs =
          kist_even_signs[rest >> 7 * l & 127] | (uint32_t)kist_even_signs[rest >> (7 * l + 7) & 127] << 8;
        KERNEL(store)(y, KERNEL(grid2)(codes, signs, scale));
      }
    }
  }
}

static void KERNEL(dequantize_iq2_xs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_xs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * (0.5f + (float)(x[i].scales[s / 2] >> 4 * (s % 2) & 15)) * 0.25f;
      uint32_t q = kist_u32(x[i].qs + 4 * s);
      uint32_t codes = kist_grid_iq2_xs[q & 511] | (uint32_t)kist_grid_iq2_xs[q >> 16 & 511] << 16;
      uint32_t signs = kist_even_signs[q >> 9 & 127] | (uint32_t)kist_even_signs[q >> 25] << 8;
      KERNEL(store)(y, KERNEL(grid2)(codes, signs, scale));
    }
  }
}

static void KERNEL(dequantize_iq2_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * (0.5f + (float)(x[i].scales[s / 2] >> 4 * (s % 2) & 15)) * 0.25f;
      int high = x[i].qh[s / 2] >> 4 * (s % 2);
      uint32_t first = kist_grid_iq2_s[x[i].qs[2 * s] | (high & 3) << 8];
      uint32_t second = kist_grid_iq2_s[x[i].qs[2 * s + 1] | (high >> 2 & 3) << 8];
      KERNEL(store)(
        y, KERNEL(grid2)(first | second << 16, kist_u16(x[i].signs + 2 * s), scale));
    }
  }
}

static void KERNEL(dequantize_iq3_xxs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq3_xxs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      uint32_t rest = kist_u32(x[i].scales_and_signs + 4 * s);
      float scale = d * (0.5f + (float)(int)(rest >> 28)) * 0.5f;
      for (int l = 0; l < 4; l += 2, y += 16) {
        uint16_t codes[4];
        UNROLL for (int k = 0; k < 4; k++) codes[k] = kist_grid_iq3_xxs[x[i].qs[8 * s + 2 * l + k]];
        uint32_t signs =
          kist_even_signs[rest >> 7 * l & 127] | (uint32_t)kist_even_signs[rest >> (7 * l + 7) & 127] << 8;
        KERNEL(store)(y, KERNEL(grid3)(codes, 3, 2, signs, scale));
      }
    }
  }
}

static void KERNEL(dequantize_iq3_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq3_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      float scale = d * (float)(1 + 2 * (x[i].scales[s / 2] >> 4 * (s % 2) & 15));
      for (int l = 0; l < 4; l += 2, y += 16) {
        uint16_t codes[4];
        UNROLL for (int k = 0; k < 4; k++)
          codes[k] = kist_grid_iq3_s[x[i].qs[8 * s + 2 * l + k] | (x[i].qh[s] >> (2 * l + k) & 1) << 8];
        KERNEL(store)(y, KERNEL(grid3)(codes, 1, 0, kist_u16(x[i].signs + 4 * s + l), scale));
      }
    }
  }
}

/// Two points of the ternary grid: -1, 0 or 1, shifted by 1/8 up or down.
INLINE kist_f32x16 KERNEL(grid1)(uint32_t codes, kist_f32x16 delta, float d) {
  const kist_u32x16 right = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
  kist_i32x16 c = (kist_i32x16)(((kist_u32x16){0} + codes) >> right & 3) - 1;
  return (__builtin_convertvector(c, kist_f32x16) + delta) * d;
}

static void KERNEL(dequantize_iq1_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq1_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      int high = kist_u16(x[i].qh + 2 * s);
      float scale = d * (float)(2 * (high >> 12 & 7) + 1), delta = high & 0x8000 ? -0.125f : 0.125f;
      for (int l = 0; l < 4; l += 2, y += 16) {
        uint32_t first = kist_grid_iq1[x[i].qs[4 * s + l] | (high >> 3 * l & 7) << 8];
        uint32_t second = kist_grid_iq1[x[i].qs[4 * s + l + 1] | (high >> (3 * l + 3) & 7) << 8];
        KERNEL(store)(y, KERNEL(grid1)(first | second << 16, (kist_f32x16){0} + delta, scale));
      }
    }
  }
}

static void KERNEL(dequantize_iq1_m)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq1_m *x = source;
  for (size_t i = 0; i < count; i++) {
    // The f16 of the super-block lies in the highest 4 bits of the four words of scales.
    unsigned words[4], half = 0;
    for (int k = 0; k < 4; k++) {
      words[k] = kist_u16(x[i].scales + 2 * k);
      half |= words[k] >> 12 << 4 * k;
    }
    float d = kist_float_of_half_bits((uint16_t)half);
    for (int s = 0; s < 16; s++, y += 16) {
      float scale = d * (float)(int)(2 * (words[s / 4] >> 3 * (s % 4) & 7) + 1);
      int high = x[i].qh[s];
      uint32_t first = kist_grid_iq1[x[i].qs[2 * s] | (high & 7) << 8];
      uint32_t second = kist_grid_iq1[x[i].qs[2 * s + 1] | (high >> 4 & 7) << 8];
      kist_f32x16 delta = KERNEL(scale_pair)(high & 8 ? -0.125f : 0.125f, high & 128 ? -0.125f : 0.125f);
      KERNEL(store)(y, KERNEL(grid1)(first | second << 16, delta, scale));
    }
  }
}
