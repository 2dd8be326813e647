// Quantization of the K types: a super-block of 256 numbers in each lane.
//
// Source: quantize_row_ of llama.cpp's ggml-quants.c, _ref without an importance matrix and _impl with one.

/// 16 super-blocks of numbers and, with an importance matrix, of weights, number i of all of them in vector i.
typedef struct {
  F x[256], importance[256];
  B quants[256];   // number i of the blocks, quantized
  B block[256];    // byte i of the blocks
  int has_importance;
} KERNEL(super_blocks);

/// The scales of sub-blocks: of a block, and of the quantized numbers within.
typedef struct {
  F scales[16], minimums[16], weights[16];
} KERNEL(sub_blocks);

/// The sum of squares of whole super-blocks.
INLINE F KERNEL(sum_of_squares)(const F *x, int n) {
  F sum = (F)(0.f);
  for (int i = 0; i < n; i++) sum += x[i] * x[i];
  return sum;
}

/// The weights that a sub-block's errors get by the importance matrix.
INLINE void KERNEL(weigh)(const F *x, const F *importance, int n, F sigma2, F *weights) {
  for (int i = 0; i < n; i++) weights[i] = importance[i] * KERNEL(root)(sigma2 + x[i] * x[i]);
}

INLINE F KERNEL(sum)(const F *x, int n) {
  F sum = (F)(0.f);
  for (int i = 0; i < n; i++) sum += x[i];
  return sum;
}

/// The greatest of some numbers, at least 0.
INLINE F KERNEL(greatest)(const F *x, int n) {
  F greatest = (F)(0.f);
  for (int i = 0; i < n; i++) greatest = x[i] > greatest ? x[i] : greatest;
  return greatest;
}

/// Quantizes a sub-block again, with the scale and minimum that are stored; where the scale is 0 it stays as it is.
INLINE void KERNEL(requantize)(const F *x, int n, F scale, F minimum, int low, int high, B *quants) {
  I keeps = scale == 0.f;
  for (int i = 0; i < n; i++) {
    I l = KERNEL(clamp)(KERNEL(nearest)((x[i] + minimum) / scale), low, high) - low;
    quants[i] = KERNEL(bytes_of)(keeps ? KERNEL(int_of_bytes)(quants[i]) : l);
  }
}

/// As above without a minimum.
INLINE void KERNEL(requantize_symmetric)(const F *x, int n, F scale, int half, B *quants) {
  I keeps = scale == 0.f;
  for (int i = 0; i < n; i++) {
    I l = KERNEL(clamp)(KERNEL(nearest)(x[i] / scale), -half, half - 1) + half;
    quants[i] = KERNEL(bytes_of)(keeps ? KERNEL(int_of_bytes)(quants[i]) : l);
  }
}

/// 2 bits of each number, 4 of them 32 apart in a byte.
INLINE void KERNEL(pack_pairs_of_bits)(const B *quants, B *bytes) {
  for (int i = 0; i < 64; i++) {
    const B *q = quants + i / 32 * 128 + i % 32;
    bytes[i] = q[0] | q[32] << 2 | q[64] << 4 | q[96] << 6;
  }
}

static void KERNEL(quantize_q2_k)(KERNEL(super_blocks) *s) {
  KERNEL(sub_blocks) b;
  F sigma2 = KERNEL(sum_of_squares)(s->x, 256) / 256.f, weights[16], d, dmin;
  I scales[16], minimums[16];
  for (int j = 0; j < 16; j++) {
    const F *x = s->x + 16 * j;
    if (s->has_importance) {
      KERNEL(weigh)(x, s->importance + 16 * j, 16, sigma2, weights);
      b.weights[j] = KERNEL(sum)(weights, 16);
      b.scales[j] = KERNEL(search_affine)(
        16, 3, x, weights, -0.9f, 0.05f, 36, 0, &b.minimums[j], s->quants + 16 * j);
    } else {
      for (int i = 0; i < 16; i++) weights[i] = KERNEL(magnitude)(x[i]);
      b.scales[j] = KERNEL(search_affine)(
        16, 3, x, weights, -0.5f, 0.1f, 15, 1, &b.minimums[j], s->quants + 16 * j);
    }
  }
  if (s->has_importance) {
    d = KERNEL(search_positive)(16, 15, b.scales, b.weights, scales);
    dmin = KERNEL(search_positive)(16, 15, b.minimums, b.weights, minimums);
  } else {
    F max_scale = KERNEL(greatest)(b.scales, 16), max_minimum = KERNEL(greatest)(b.minimums, 16);
    for (int j = 0; j < 16; j++) {
      scales[j] = max_scale > 0.f ? KERNEL(nearest)(15.f / max_scale * b.scales[j]) : (I)0;
      minimums[j] = max_minimum > 0.f ? KERNEL(nearest)(15.f / max_minimum * b.minimums[j]) : (I)0;
    }
    d = max_scale > 0.f ? max_scale / 15.f : KERNEL(spread)(0);
    dmin = max_minimum > 0.f ? max_minimum / 15.f : KERNEL(spread)(0);
  }
  I half_d = KERNEL(half_of)(d), half_dmin = KERNEL(half_of)(dmin);
  KERNEL(set_half)(s->block + 80, half_d);
  KERNEL(set_half)(s->block + 82, half_dmin);
  d = KERNEL(float_of_halves)(half_d);
  dmin = KERNEL(float_of_halves)(half_dmin);
  for (int j = 0; j < 16; j++) {
    I both = (scales[j] | minimums[j] << 4) & 255;
    s->block[j] = KERNEL(bytes_of)(both);
    KERNEL(requantize)(
      s->x + 16 * j, 16, d * KERNEL(float_of)(both & 15), dmin * KERNEL(float_of)(both >> 4), 0, 3, s->quants + 16 * j);
  }
  KERNEL(pack_pairs_of_bits)(s->quants, s->block + 16);
}

static void KERNEL(quantize_q3_k)(KERNEL(super_blocks) *s) {
  KERNEL(sub_blocks) b;
  B codes[16];
  F sigma2 = 2.f * KERNEL(sum_of_squares)(s->x, 256) / 256.f, weights[16], d;
  for (int j = 0; j < 16; j++) {
    const F *x = s->x + 16 * j;
    if (s->has_importance) {
      KERNEL(weigh)(x, s->importance + 16 * j, 16, sigma2, weights);
      b.weights[j] = KERNEL(sum)(weights, 16);
      b.scales[j] = KERNEL(search_symmetric)(16, 4, x, weights, s->quants + 16 * j);
    } else if (j % 4 == 0) {
      KERNEL(search_q3)(x, b.scales + j, s->quants + 16 * j);
    }
  }
  if (s->has_importance) {
    d = KERNEL(search_symmetric)(16, 32, b.scales, b.weights, codes);
  } else {
    F size, extreme = KERNEL(extreme)(b.scales, 16, &size), factor = -32.f / extreme;
    I zero = extreme == 0.f;
    for (int j = 0; j < 16; j++) {
      // The number goes through a signed byte on its way.
      I l = KERNEL(nearest)(factor * b.scales[j]) << 24 >> 24;
      codes[j] = KERNEL(bytes_of)(zero ? (I)0 : KERNEL(clamp)(l, -32, 31) + 32);
    }
    d = zero ? KERNEL(spread)(0) : 1.f / factor;
  }
  I half_d = KERNEL(half_of)(d);
  KERNEL(set_half)(s->block + 108, half_d);
  d = KERNEL(float_of_halves)(half_d);
  for (int j = 0; j < 16; j++)
    KERNEL(requantize_symmetric)(
      s->x + 16 * j, 16, d * KERNEL(float_of)(KERNEL(int_of_bytes)(codes[j]) - 32), 4, s->quants + 16 * j);
  for (int j = 0; j < 8; j++) s->block[96 + j] = (codes[j] & 15) | codes[j + 8] << 4;
  for (int j = 0; j < 4; j++)
    s->block[104 + j] = codes[j] >> 4 | codes[j + 4] >> 4 << 2 | codes[j + 8] >> 4 << 4 | codes[j + 12] >> 4 << 6;
  for (int i = 0; i < 32; i++) {
    B high = (B)(0);
    for (int k = 0; k < 8; k++) high |= s->quants[32 * k + i] >> 2 << k;
    s->block[i] = high;
  }
  for (int i = 0; i < 256; i++) s->quants[i] &= 3;
  KERNEL(pack_pairs_of_bits)(s->quants, s->block + 32);
}

/// Q4_K and Q5_K: eight sub-blocks of 32 with 6-bit scales and minimums, of numbers from 0 to `highest`.
INLINE void KERNEL(quantize_affine_k)(KERNEL(super_blocks) *s, int highest, float first, float step, int steps) {
  KERNEL(sub_blocks) b;
  F sigma2 = 2.f * KERNEL(sum_of_squares)(s->x, 256) / 256.f, weights[32], d, dmin;
  I scales[8], minimums[8];
  for (int j = 0; j < 8; j++) {
    const F *x = s->x + 32 * j;
    if (s->has_importance) {
      KERNEL(weigh)(x, s->importance + 32 * j, 32, sigma2, weights);
      b.weights[j] = KERNEL(sum)(weights, 32);
      b.scales[j] = KERNEL(search_affine)(
        32, highest, x, weights, -0.9f, 0.05f, 36, 0, &b.minimums[j], s->quants + 32 * j);
    } else {
      F average = KERNEL(root)(KERNEL(sum_of_squares)(x, 32) / 32.f);
      for (int i = 0; i < 32; i++) weights[i] = average + KERNEL(magnitude)(x[i]);
      b.scales[j] = KERNEL(search_affine)(
        32, highest, x, weights, first, step, steps, 0, &b.minimums[j], s->quants + 32 * j);
    }
  }
  if (s->has_importance) {
    d = KERNEL(search_positive)(8, 63, b.scales, b.weights, scales);
    dmin = KERNEL(search_positive)(8, 63, b.minimums, b.weights, minimums);
    // Q5_K cuts them to 63 afterwards; Q4_K does not, and needs not: only a negative scale gives more.
  } else {
    F max_scale = KERNEL(greatest)(b.scales, 8), max_minimum = KERNEL(greatest)(b.minimums, 8);
    F scale_factor = max_scale > 0.f ? 63.f / max_scale : KERNEL(spread)(0);
    F minimum_factor = max_minimum > 0.f ? 63.f / max_minimum : KERNEL(spread)(0);
    for (int j = 0; j < 8; j++) {
      scales[j] = __builtin_elementwise_min(KERNEL(nearest)(scale_factor * b.scales[j]) & 255, (I)63);
      minimums[j] = __builtin_elementwise_min(KERNEL(nearest)(minimum_factor * b.minimums[j]) & 255, (I)63);
    }
    d = max_scale / 63.f;
    dmin = max_minimum / 63.f;
  }
  if (highest == 31)
    for (int j = 0; j < 8; j++) {
      scales[j] = __builtin_elementwise_min(scales[j], (I)63);
      minimums[j] = __builtin_elementwise_min(minimums[j], (I)63);
    }
  I half_d = KERNEL(half_of)(d), half_dmin = KERNEL(half_of)(dmin);
  KERNEL(set_half)(s->block, half_d);
  KERNEL(set_half)(s->block + 2, half_dmin);
  d = KERNEL(float_of_halves)(half_d);
  dmin = KERNEL(float_of_halves)(half_dmin);
  for (int j = 0; j < 4; j++) {
    s->block[4 + j] = KERNEL(bytes_of)(scales[j] | scales[j + 4] >> 4 << 6);
    s->block[8 + j] = KERNEL(bytes_of)(minimums[j] | minimums[j + 4] >> 4 << 6);
    s->block[12 + j] = KERNEL(bytes_of)((scales[j + 4] & 15) | (minimums[j + 4] & 15) << 4);
  }
  for (int j = 0; j < 8; j++) {
    // As they will be read: cut to 6 bits.
    F scale = d * KERNEL(float_of)(scales[j] & 63), minimum = dmin * KERNEL(float_of)(minimums[j] & 63);
    KERNEL(requantize)(s->x + 32 * j, 32, scale, minimum, 0, highest, s->quants + 32 * j);
  }
}

static void KERNEL(quantize_q4_k)(KERNEL(super_blocks) *s) {
  KERNEL(quantize_affine_k)(s, 15, -1.f, 0.1f, 20);
  for (int i = 0; i < 128; i++) {
    const B *q = s->quants + i / 32 * 64 + i % 32;
    s->block[16 + i] = q[0] | q[32] << 4;
  }
}

static void KERNEL(quantize_q5_k)(KERNEL(super_blocks) *s) {
  KERNEL(quantize_affine_k)(s, 31, -0.5f, 0.1f, 15);
  for (int i = 0; i < 32; i++) {
    B high = (B)(0);
    for (int k = 0; k < 8; k++) high |= s->quants[32 * k + i] >> 4 << k;
    s->block[16 + i] = high;
  }
  for (int i = 0; i < 128; i++) {
    const B *q = s->quants + i / 32 * 64 + i % 32;
    s->block[48 + i] = (q[0] & 15) | q[32] << 4;
  }
}

static void KERNEL(quantize_q6_k)(KERNEL(super_blocks) *s) {
  F scales[16], size;
  for (int j = 0; j < 16; j++)
    scales[j] = KERNEL(search_symmetric)(
      16, 32, s->x + 16 * j, s->has_importance ? s->importance + 16 * j : NULL, s->quants + 16 * j);
  F factor = -128.f / KERNEL(extreme)(scales, 16, &size);
  I zero = size < EPSILON, half_d = zero ? (I)0 : KERNEL(half_of)(1.f / factor);
  F d = KERNEL(float_of_halves)(half_d);
  KERNEL(set_half)(s->block + 208, half_d);
  for (int j = 0; j < 16; j++) {
    // Stored in a signed byte.
    I l = __builtin_elementwise_min(KERNEL(nearest)(factor * scales[j]), (I)127) << 24 >> 24;
    l = zero ? (I)0 : l;
    s->block[192 + j] = KERNEL(bytes_of)(l);
    KERNEL(requantize_symmetric)(s->x + 16 * j, 16, d * KERNEL(float_of)(l), 32, s->quants + 16 * j);
  }
  B keep = KERNEL(bytes_of)(~zero);
  for (int i = 0; i < 64; i++) {
    const B *q = s->quants + i / 32 * 128 + i % 32;
    B *low = s->block + i / 32 * 64 + i % 32;
    low[0] = ((q[0] & 15) | q[64] << 4) & keep;
    low[32] = ((q[32] & 15) | q[96] << 4) & keep;
    s->block[128 + i] = (q[0] >> 4 | q[32] >> 4 << 2 | q[64] >> 4 << 4 | q[96] >> 4 << 6) & keep;
  }
}

/// Feeds a function with the super-blocks of rows, 16 at a time; the last ones are repeated to fill the lanes.
INLINE void KERNEL(quantize_super_blocks)(
  const float *x, size_t rows, size_t columns, const float *importance, int block_size, uint8_t *blocks,
  void (*quantize)(KERNEL(super_blocks) *)
) {
  KERNEL(super_blocks) s;
  size_t per_row = columns / 256, count = rows * per_row;
  s.has_importance = importance != NULL;
  for (size_t first = 0; first < count; first += LANES) {
    size_t lanes = count - first < LANES ? count - first : LANES;
    const float *runs[LANES];
    for (size_t k = 0; k < LANES; k++) runs[k] = x + 256 * (first + (k < lanes ? k : lanes - 1));
    KERNEL(gather_columns)(runs, 256, s.x);
    if (importance) {
      for (size_t k = 0; k < LANES; k++)
        runs[k] = importance + 256 * ((first + (k < lanes ? k : lanes - 1)) % per_row);
      KERNEL(gather_columns)(runs, 256, s.importance);
    }
    quantize(&s);
    KERNEL(scatter_bytes)(s.block, block_size, (int)lanes, blocks + first * (size_t)block_size);
  }
}

#define QUANTIZE_SUPER_BLOCKS(TYPE)                                                                              \
  static void KERNEL(quantize_rows_##TYPE)(                                                                      \
    const float *x, size_t rows, size_t columns, const float *importance, void *blocks) {                        \
    KERNEL(quantize_super_blocks)(                                                                               \
      x, rows, columns, importance, sizeof(kist_##TYPE), blocks, KERNEL(quantize_##TYPE));                        \
  }

QUANTIZE_SUPER_BLOCKS(q2_k)
QUANTIZE_SUPER_BLOCKS(q3_k)
QUANTIZE_SUPER_BLOCKS(q4_k)
QUANTIZE_SUPER_BLOCKS(q5_k)
QUANTIZE_SUPER_BLOCKS(q6_k)
