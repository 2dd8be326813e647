// Dequantization of the types that take 8 or 4 numbers at a time from a grid (Grids.h).
//
// Source: dequantize_row_ of llama.cpp's ggml-quants.c; products and sums are rounded one by one, as there.

/// 8 numbers of a grid whose code has 2 bits for each: 8, 25 or 43, and a sign.
INLINE void KERNEL(grid2)(uint16_t code, uint8_t signs, float d, float *restrict y) {
  for (int j = 0; j < 8; j++) {
    uint32_t c = (uint32_t)code >> 2 * j & 3, sign = (uint32_t)signs >> j & 1;
    float value = d * (float)(int)(8 + 17 * c + (c >> 1));
    y[j] = kist_float_of_bits(kist_bits_of_float(value) ^ sign << 31);
  }
}

/// 4 numbers of a grid whose code has 3 bits for each.
INLINE void KERNEL(grid3)(uint16_t code, const float values[8], uint32_t signs, float d, float *restrict y) {
  for (int j = 0; j < 4; j++) {
    float value = d * values[code >> 3 * j & 7];
    y[j] = kist_float_of_bits(kist_bits_of_float(value) ^ (signs >> j & 1) << 31);
  }
}

void KERNEL(dequantize_iq2_xxs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_xxs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      const uint8_t *indices = x[i].qs + 8 * s;
      uint32_t rest = kist_u32(indices + 4);
      float scale = d * (0.5f + (float)(int)(rest >> 28)) * 0.25f;
      for (int l = 0; l < 4; l++, y += 8)
        KERNEL(grid2)(kist_grid_iq2_xxs[indices[l]], kist_even_signs[rest >> 7 * l & 127], scale, y);
    }
  }
}

void KERNEL(dequantize_iq2_xs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_xs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 32; s++, y += 8) {
      float scale = d * (0.5f + (float)(x[i].scales[s / 4] >> 4 * (s / 2 % 2) & 15)) * 0.25f;
      uint16_t q = kist_u16(x[i].qs + 2 * s);
      KERNEL(grid2)(kist_grid_iq2_xs[q & 511], kist_even_signs[q >> 9], scale, y);
    }
  }
}

void KERNEL(dequantize_iq2_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq2_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 32; s++, y += 8) {
      float scale = d * (0.5f + (float)(x[i].scales[s / 4] >> 4 * (s / 2 % 2) & 15)) * 0.25f;
      int index = x[i].qs[s] | (x[i].qh[s / 4] >> 2 * (s % 4) & 3) << 8;
      KERNEL(grid2)(kist_grid_iq2_s[index], x[i].signs[s], scale, y);
    }
  }
}

void KERNEL(dequantize_iq3_xxs)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq3_xxs *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      uint32_t rest = kist_u32(x[i].scales_and_signs + 4 * s);
      float scale = d * (0.5f + (float)(int)(rest >> 28)) * 0.5f;
      for (int l = 0; l < 8; l++, y += 4) {
        uint32_t signs = kist_even_signs[rest >> 7 * (l / 2) & 127] >> 4 * (l % 2);
        KERNEL(grid3)(kist_grid_iq3_xxs[x[i].qs[8 * s + l]], kist_iq3_xxs_values, signs, scale, y);
      }
    }
  }
}

void KERNEL(dequantize_iq3_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq3_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      float scale = d * (float)(1 + 2 * (x[i].scales[s / 2] >> 4 * (s % 2) & 15));
      for (int l = 0; l < 8; l++, y += 4) {
        int index = x[i].qs[8 * s + l] | (x[i].qh[s] >> l & 1) << 8;
        uint32_t signs = x[i].signs[4 * s + l / 2] >> 4 * (l % 2);
        KERNEL(grid3)(kist_grid_iq3_s[index], kist_iq3_s_values, signs, scale, y);
      }
    }
  }
}

/// 8 numbers of the ternary grid: -1, 0 or 1, all shifted by 1/8 up or down.
INLINE void KERNEL(grid1)(int index, float delta, float d, float *restrict y) {
  uint32_t code = kist_grid_iq1[index];
  for (int j = 0; j < 8; j++) y[j] = d * ((float)((int)(code >> 2 * j & 3) - 1) + delta);
}

void KERNEL(dequantize_iq1_s)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq1_s *x = source;
  for (size_t i = 0; i < count; i++) {
    float d = kist_float_of_half(x[i].d);
    for (int s = 0; s < 8; s++) {
      int high = kist_u16(x[i].qh + 2 * s);
      float scale = d * (float)(2 * (high >> 12 & 7) + 1), delta = high & 0x8000 ? -0.125f : 0.125f;
      for (int l = 0; l < 4; l++, y += 8)
        KERNEL(grid1)(x[i].qs[4 * s + l] | (high >> 3 * l & 7) << 8, delta, scale, y);
    }
  }
}

void KERNEL(dequantize_iq1_m)(const void *restrict source, size_t count, float *restrict y) {
  const kist_iq1_m *x = source;
  for (size_t i = 0; i < count; i++) {
    // The f16 of the super-block lies in the highest 4 bits of the four words of scales.
    unsigned words[4], half = 0;
    for (int k = 0; k < 4; k++) {
      words[k] = kist_u16(x[i].scales + 2 * k);
      half |= words[k] >> 12 << 4 * k;
    }
    float d = kist_float_of_half_bits((uint16_t)half);
    for (int s = 0; s < 32; s++, y += 8) {
      float scale = d * (float)(int)(2 * (words[s / 8] >> 3 * (s / 2 % 4) & 7) + 1);
      int high = x[i].qh[s / 2] >> 4 * (s % 2);
      KERNEL(grid1)(x[i].qs[s] | (high & 7) << 8, high & 8 ? -0.125f : 0.125f, scale, y);
    }
  }
}
