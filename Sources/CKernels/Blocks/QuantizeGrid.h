// Quantization of IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS and IQ3_S: a super-block of 256 numbers in each lane.
//
// Source: quantize_row_..._impl of llama.cpp's ggml-quants.c.

/// Everything that a type stores: the places of groups, the signs, and 4-bit scales of sub-blocks.
typedef struct {
  I places[64], signs[32], scales[16];
  I nonzero;  // where any sub-block has a scale
} KERNEL(grid_block);

/// Searches all sub-blocks of super-blocks, and stores the first scale, times a factor, in the first two bytes.
INLINE void KERNEL(quantize_grid)(
  KERNEL(super_blocks) *s, KERNEL(grid_kind) kind, float d_factor, KERNEL(grid_block) *out
) {
  const kist_grid *grid = kist_find_grid(kind.grid);
  int groups = kind.size / kind.digits;
  F sigma2 = kind.sigma_factor * KERNEL(sum_of_squares)(s->x, 256) / 256.f, scales[16], greatest = (F)(0.f);
  for (int j = 0; j < 256 / kind.size; j++) {
    F x[32], weights[32];
    memcpy(x, s->x + kind.size * j, (size_t)kind.size * sizeof(F));
    if (s->has_importance) {
      KERNEL(weigh)(x, s->importance + kind.size * j, kind.size, sigma2, weights);
    } else {
      F base = kind.grid == kist_iq2_s_grid ? 0.25f * sigma2 : KERNEL(spread)(0);
      for (int i = 0; i < kind.size; i++) weights[i] = base + x[i] * x[i];
    }
    KERNEL(grid_result) result = KERNEL(search_grid)(kind, grid, x, weights);
    for (int k = 0; k < groups; k++) out->places[groups * j + k] = KERNEL(places_of_codes)(grid, result.codes[k]);
    for (int k = 0; k < kind.size / 8; k++) out->signs[kind.size / 8 * j + k] = result.signs[k];
    scales[j] = result.scale;
    greatest = greatest > result.scale ? greatest : result.scale;
  }
  out->nonzero = greatest != 0.f;
  F d = greatest / 31.f, factor = 1.f / d;
  KERNEL(set_half)(s->block, out->nonzero ? KERNEL(half_of)(d * d_factor) : (I)0);
  for (int j = 0; j < 256 / kind.size; j++) {
    I l = KERNEL(clamp)(KERNEL(nearest)(0.5f * (factor * scales[j] - 1.f)), 0, 15);
    out->scales[j] = out->nonzero ? l : (I)0;
  }
}

/// Four sets of 7 signs and a scale in 32 bits.
INLINE void KERNEL(put_signs_and_scale)(const KERNEL(grid_block) *b, int j, B *bytes) {
  const I *signs = b->signs + 4 * j;
  I word = signs[0] | signs[1] << 7 | signs[2] << 14 | signs[3] << 21 | b->scales[j] << 28;
  word &= b->nonzero;
  for (int k = 0; k < 4; k++) bytes[k] = KERNEL(bytes_of)(word >> 8 * k);
}

/// 4-bit scales, two to a byte.
INLINE void KERNEL(put_scales)(const I *scales, int count, B *bytes) {
  for (int j = 0; j < count; j += 2) bytes[j / 2] = KERNEL(bytes_of)(scales[j] | scales[j + 1] << 4);
}

static void KERNEL(quantize_iq2_xxs)(KERNEL(super_blocks) *s) {
  const KERNEL(grid_kind) kind = {
    .grid = kist_iq2_xxs_grid, .size = 32, .digits = 8, .bits = 2, .levels = 3, .attempts = 6, .step = 0.1f,
    .epsilon = EPSILON, .sigma_factor = 1, .has_even_signs = 1, .starts_on_grid = 1, .redoes_all = 1};
  KERNEL(grid_block) b;
  KERNEL(quantize_grid)(s, kind, 1.f, &b);
  for (int j = 0; j < 8; j++) {
    for (int k = 0; k < 4; k++) s->block[2 + 8 * j + k] = KERNEL(bytes_of)(b.places[4 * j + k] & b.nonzero);
    KERNEL(put_signs_and_scale)(&b, j, s->block + 6 + 8 * j);
  }
}

static void KERNEL(quantize_iq2_xs)(KERNEL(super_blocks) *s) {
  const KERNEL(grid_kind) kind = {
    .grid = kist_iq2_xs_grid, .size = 16, .digits = 8, .bits = 2, .levels = 3, .attempts = 9, .step = 0.1f,
    .epsilon = EPSILON, .sigma_factor = 1, .has_even_signs = 1, .starts_on_grid = 1};
  KERNEL(grid_block) b;
  KERNEL(quantize_grid)(s, kind, 1.f, &b);
  for (int k = 0; k < 32; k++) {
    I word = (b.places[k] | b.signs[k] << 9) & b.nonzero;
    s->block[2 + 2 * k] = KERNEL(bytes_of)(word);
    s->block[3 + 2 * k] = KERNEL(bytes_of)(word >> 8);
  }
  KERNEL(put_scales)(b.scales, 16, s->block + 66);
}

static void KERNEL(quantize_iq2_s)(KERNEL(super_blocks) *s) {
  const KERNEL(grid_kind) kind = {
    .grid = kist_iq2_s_grid, .size = 16, .digits = 8, .bits = 2, .levels = 3, .attempts = 9, .step = 0.1f,
    .epsilon = 1e-8f, .sigma_factor = 2, .starts_on_grid = 1};
  KERNEL(grid_block) b;
  KERNEL(quantize_grid)(s, kind, 0.9875f, &b);
  for (int k = 0; k < 32; k++) {
    s->block[2 + k] = KERNEL(bytes_of)(b.places[k]);
    s->block[34 + k] = KERNEL(bytes_of)(b.signs[k]);
  }
  for (int j = 0; j < 8; j++) {
    I high = (I)0;
    for (int k = 0; k < 4; k++) high |= b.places[4 * j + k] >> 8 << 2 * k;
    s->block[66 + j] = KERNEL(bytes_of)(high);
  }
  KERNEL(put_scales)(b.scales, 16, s->block + 74);
}

static void KERNEL(quantize_iq3_xxs)(KERNEL(super_blocks) *s) {
  const KERNEL(grid_kind) kind = {
    .grid = kist_iq3_xxs_grid, .size = 32, .digits = 4, .bits = 3, .levels = 8, .attempts = 15, .step = 0.2f,
    .epsilon = 1e-8f, .sigma_factor = 2, .has_even_signs = 1, .starts_on_grid = 1};
  KERNEL(grid_block) b;
  KERNEL(quantize_grid)(s, kind, 1.0125f, &b);
  for (int k = 0; k < 64; k++) s->block[2 + k] = KERNEL(bytes_of)(b.places[k] & b.nonzero);
  for (int j = 0; j < 8; j++) KERNEL(put_signs_and_scale)(&b, j, s->block + 66 + 4 * j);
}

static void KERNEL(quantize_iq3_s)(KERNEL(super_blocks) *s) {
  const KERNEL(grid_kind) kind = {
    .grid = kist_iq3_s_grid, .size = 32, .digits = 4, .bits = 3, .levels = 8, .attempts = 9, .step = 0.2f,
    .epsilon = 0, .sigma_factor = 2, .redoes_all = 1};
  KERNEL(grid_block) b;
  KERNEL(quantize_grid)(s, kind, 1.033f, &b);
  for (int k = 0; k < 64; k++) s->block[2 + k] = KERNEL(bytes_of)(b.places[k]);
  for (int j = 0; j < 8; j++) {
    I high = (I)0;
    for (int k = 0; k < 8; k++) high |= b.places[8 * j + k] >> 8 << k;
    s->block[66 + j] = KERNEL(bytes_of)(high);
  }
  for (int k = 0; k < 32; k++) s->block[74 + k] = KERNEL(bytes_of)(b.signs[k]);
  KERNEL(put_scales)(b.scales, 8, s->block + 106);
}

QUANTIZE_SUPER_BLOCKS(iq2_xxs)
QUANTIZE_SUPER_BLOCKS(iq2_xs)
QUANTIZE_SUPER_BLOCKS(iq2_s)
QUANTIZE_SUPER_BLOCKS(iq3_xxs)
QUANTIZE_SUPER_BLOCKS(iq3_s)
