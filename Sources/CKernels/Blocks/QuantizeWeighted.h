// Quantization over 16 blocks at a time with a search for the scale: the simple types with an importance matrix,
// IQ4_NL and IQ4_XS; and Q1_0, whose sum has an order.
//
// Source: quantize_row_..._impl and quantize_row_q1_0_ref of llama.cpp's ggml-quants.c.

/// 16 blocks of 32 numbers, number i of all of them in vector i.
typedef struct {
  F x[32], importance[32];
  F sigma2;       // the mean square of the row that the block is in
  B quants[32];   // number i of the blocks, quantized
  B block[24];    // byte i of the blocks
  int has_importance;
} KERNEL(small_blocks);

/// Feeds a function with the blocks of rows, 16 at a time; the last ones are repeated to fill the lanes.
INLINE void KERNEL(quantize_small_blocks)(
  const float *x, size_t rows, size_t columns, const float *importance, int block_size, uint8_t *blocks,
  void (*quantize)(KERNEL(small_blocks) *)
) {
  KERNEL(small_blocks) s;
  size_t per_row = columns / 32, count = rows * per_row, summed_row = SIZE_MAX;
  float mean_square = 0;
  s.has_importance = importance != NULL;
  for (size_t first = 0; first < count; first += LANES) {
    const float *runs[LANES], *weights[LANES];
    for (size_t k = 0; k < LANES; k++) {
      size_t i = first + k < count ? first + k : count - 1, row = i / per_row;
      runs[k] = x + 32 * i;
      if (!importance) continue;
      weights[k] = importance + 32 * (i % per_row);
      if (row != summed_row) {
        float sum = 0;
        for (size_t j = 0; j < columns; j++) sum += x[row * columns + j] * x[row * columns + j];
        mean_square = sum / (float)columns;
        summed_row = row;
      }
      s.sigma2[k] = mean_square;
    }
    KERNEL(gather_columns)(runs, 32, s.x);
    if (importance) KERNEL(gather_columns)(weights, 32, s.importance);
    quantize(&s);
    int lanes = count - first < LANES ? (int)(count - first) : LANES;
    KERNEL(scatter_bytes)(s.block, block_size, lanes, blocks + first * (size_t)block_size);
  }
}

/// 32 numbers of 4 bits.
INLINE void KERNEL(pack_nibbles)(const B *quants, B *bytes) {
  for (int i = 0; i < 16; i++) bytes[i] = (quants[i] & 15) | quants[i + 16] << 4;
}

/// The fifth bits of 32 numbers.
INLINE void KERNEL(pack_fifths)(const B *quants, B *bytes) {
  for (int i = 0; i < 4; i++) {
    bytes[i] = (B)(0);
    for (int k = 0; k < 8; k++) bytes[i] |= (quants[8 * i + k] >> 4 & 1) << k;
  }
}

static void KERNEL(quantize_small_q4_0)(KERNEL(small_blocks) *s) {
  F weights[32];
  KERNEL(weigh)(s->x, s->importance, 32, s->sigma2, weights);
  KERNEL(set_half)(s->block, KERNEL(half_of)(KERNEL(search_symmetric)(32, 8, s->x, weights, s->quants)));
  KERNEL(pack_nibbles)(s->quants, s->block + 2);
}

static void KERNEL(quantize_small_q5_0)(KERNEL(small_blocks) *s) {
  F weights[32];
  KERNEL(weigh)(s->x, s->importance, 32, s->sigma2, weights);
  KERNEL(set_half)(s->block, KERNEL(half_of)(KERNEL(search_symmetric)(32, 16, s->x, weights, s->quants)));
  KERNEL(pack_fifths)(s->quants, s->block + 2);
  KERNEL(pack_nibbles)(s->quants, s->block + 6);
}

INLINE void KERNEL(quantize_small_affine)(KERNEL(small_blocks) *s, int highest) {
  F weights[32], minimum;
  KERNEL(weigh)(s->x, s->importance, 32, s->sigma2, weights);
  F d = KERNEL(search_affine)(32, highest, s->x, weights, -0.9f, 0.05f, 36, 0, &minimum, s->quants);
  KERNEL(set_half)(s->block, KERNEL(half_of)(d));
  KERNEL(set_half)(s->block + 2, KERNEL(half_of)(-minimum));
}

static void KERNEL(quantize_small_q4_1)(KERNEL(small_blocks) *s) {
  KERNEL(quantize_small_affine)(s, 15);
  KERNEL(pack_nibbles)(s->quants, s->block + 4);
}

static void KERNEL(quantize_small_q5_1)(KERNEL(small_blocks) *s) {
  KERNEL(quantize_small_affine)(s, 31);
  KERNEL(pack_fifths)(s->quants, s->block + 4);
  KERNEL(pack_nibbles)(s->quants, s->block + 8);
}

/// The places in the table of IQ4 whose values come nearest to x. 15 for NaN.
INLINE I KERNEL(iq4_place)(F x) {
  // Halfway between neighbours of kist_iq4_values; the differences to both are exact there.
  const F bounds = {-115.5f, -93.5f, -74, -57, -42, -28.5f, -16, -4.5f, 7, 19, 31.5f, 45.5f, 61, 79, 101, 0};
#if KIST_HAS_PERMUTE
  I place = x < bounds[7] ? (I)0 : (I)8;
  place += x < (F)__builtin_ia32_permvarsf512(bounds, place + 3) ? (I)0 : (I)4;
  place += x < (F)__builtin_ia32_permvarsf512(bounds, place + 1) ? (I)0 : (I)2;
  place += x < (F)__builtin_ia32_permvarsf512(bounds, place) ? (I)0 : (I)1;
#else
  I place = (I)15;
  UNROLL for (int i = 0; i < 15; i++) place += x < bounds[i];
#endif
  return place;
}

INLINE F KERNEL(iq4_value)(I place) {
#if KIST_HAS_PERMUTE
  const F values = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
  return (F)__builtin_ia32_permvarsf512(values, place);
#else
  return KERNEL(look_up)(KERNEL(bytes_of)(place), kist_iq4_values);
#endif
}

/// quantize_row_iq4_nl_impl: the scale of 32 numbers.
INLINE F KERNEL(search_iq4)(const F *x, const F *importance, F sigma2) {
  F weights[32], size, extreme = KERNEL(extreme)(x, 32, &size), scale = (F)(0.f), best = (F)(0.f);
  if (importance) {
    KERNEL(weigh)(x, importance, 32, sigma2, weights);
  } else {
    for (int i = 0; i < 32; i++) weights[i] = x[i] * x[i];
  }
  for (int attempt = -8; attempt <= 7; attempt++) {
    int is_first = attempt == -8;
    F factor = is_first ? 1.f / (-extreme / -127.f) : (float)(attempt - 127) / extreme;
    F sum_qx = (F)(0.f), sum_q2 = (F)(0.f);
    for (int i = 0; i < 32; i++) {
      F q = KERNEL(iq4_value)(KERNEL(iq4_place)(factor * x[i])), wq = weights[i] * q;
      sum_qx += wq * x[i];
      sum_q2 += wq * q;
    }
    F new_scale = sum_qx / sum_q2;
    I better = is_first ? sum_q2 > 0.f : (sum_q2 > 0.f) & (sum_qx * sum_qx > best * sum_q2);
    scale = better ? new_scale : scale;
    best = better ? new_scale * sum_qx : is_first ? KERNEL(spread)(0) * sum_qx : best;
  }
  return size < EPSILON ? KERNEL(spread)(0) : scale;
}

static void KERNEL(quantize_small_iq4_nl)(KERNEL(small_blocks) *s) {
  F sigma2 = KERNEL(sum_of_squares)(s->x, 32) * (2.f / 32);
  F scale = KERNEL(search_iq4)(s->x, s->has_importance ? s->importance : NULL, sigma2);
  F factor = scale != 0.f ? 1.f / scale : KERNEL(spread)(0);
  KERNEL(set_half)(s->block, KERNEL(half_of)(scale));
  for (int i = 0; i < 32; i++) s->quants[i] = KERNEL(bytes_of)(KERNEL(iq4_place)(factor * s->x[i]));
  KERNEL(pack_nibbles)(s->quants, s->block + 2);
}

static void KERNEL(quantize_iq4_xs)(KERNEL(super_blocks) *s) {
  F sigma2 = KERNEL(sum_of_squares)(s->x, 256) * (2.f / 256), scales[8], size;
  for (int j = 0; j < 8; j++)
    scales[j] = KERNEL(search_iq4)(s->x + 32 * j, s->has_importance ? s->importance + 32 * j : NULL, sigma2);
  F d = -KERNEL(extreme)(scales, 8, &size) / 32.f, factor = d != 0.f ? 1.f / d : KERNEL(spread)(0);
  KERNEL(set_half)(s->block, KERNEL(half_of)(d));
  I l[8], high = (I)0;
  for (int j = 0; j < 8; j++) {
    l[j] = KERNEL(clamp)(KERNEL(nearest)(factor * scales[j]), -32, 31);
    F scale = d * KERNEL(float_of)(l[j]), inverse = scale != 0.f ? 1.f / scale : KERNEL(spread)(0);
    for (int i = 0; i < 32; i++)
      s->quants[i] = KERNEL(bytes_of)(KERNEL(iq4_place)(inverse * s->x[32 * j + i]));
    KERNEL(pack_nibbles)(s->quants, s->block + 8 + 16 * j);
    l[j] += 32;
    high |= l[j] >> 4 << 2 * j;
  }
  KERNEL(set_half)(s->block + 2, high);
  for (int j = 0; j < 4; j++) s->block[4 + j] = KERNEL(bytes_of)((l[2 * j] & 15) | (l[2 * j + 1] & 15) << 4);
}

/// With an importance matrix by a search, without one plainly.
#define QUANTIZE_WEIGHTED(TYPE)                                                                               \
  static void KERNEL(quantize_rows_##TYPE)(                                                                   \
    const float *x, size_t rows, size_t columns, const float *importance, void *blocks) {                     \
    if (!importance) {                                                                                        \
      KERNEL(quantize_plain_##TYPE)(x, rows, columns, importance, blocks);                                    \
    } else {                                                                                                  \
      KERNEL(quantize_small_blocks)(                                                                          \
        x, rows, columns, importance, sizeof(kist_##TYPE), blocks, KERNEL(quantize_small_##TYPE));            \
    }                                                                                                         \
  }

QUANTIZE_WEIGHTED(q4_0)
QUANTIZE_WEIGHTED(q4_1)
QUANTIZE_WEIGHTED(q5_0)
QUANTIZE_WEIGHTED(q5_1)
QUANTIZE_SUPER_BLOCKS(iq4_xs)

static void KERNEL(quantize_rows_iq4_nl)(
  const float *x, size_t rows, size_t columns, const float *importance, void *blocks
) {
  KERNEL(quantize_small_blocks)(
    x, rows, columns, importance, sizeof(kist_iq4_nl), blocks, KERNEL(quantize_small_iq4_nl));
}

static void KERNEL(quantize_rows_q1_0)(
  const float *x, size_t rows, size_t columns, const float *importance, void *blocks
) {
  (void)importance;
  size_t count = rows * columns / 128;
  for (size_t first = 0; first < count; first += LANES) {
    F numbers[128], sum = (F)(0.f);
    B block[sizeof(kist_q1_0)];
    const float *runs[LANES];
    for (size_t k = 0; k < LANES; k++) runs[k] = x + 128 * (first + k < count ? first + k : count - 1);
    KERNEL(gather_columns)(runs, 128, numbers);
    for (int i = 0; i < 128; i++) sum += KERNEL(magnitude)(numbers[i]);
    KERNEL(set_half)(block, KERNEL(half_of)(sum / 128.f));
    for (int i = 0; i < 16; i++) {
      I bits = (I)0;
      for (int k = 0; k < 8; k++) bits |= (numbers[8 * i + k] >= 0.f) & 1 << k;
      block[2 + i] = KERNEL(bytes_of)(bits);
    }
    int lanes = count - first < LANES ? (int)(count - first) : LANES;
    KERNEL(scatter_bytes)(block, sizeof(kist_q1_0), lanes, (uint8_t *)blocks + first * sizeof(kist_q1_0));
  }
}
