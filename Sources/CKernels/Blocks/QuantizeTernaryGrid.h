// Quantization of IQ1_S and IQ1_M: a super-block of 256 numbers in each lane, numbers -1, 0 or 1 shifted up or down.
//
// Source: quantize_row_iq1_s_impl and quantize_row_iq1_m_impl of llama.cpp's ggml-quants.c. Numbers of a sub-block are
// sorted there with qsort; here equal ones keep their order, as with glibc's merge sort.

/// The three values with the shift up, and down.
static const float KERNEL(shifted_up)[4] = {-0.875f, 0.125f, 1.125f, 0};
static const float KERNEL(shifted_down)[4] = {-1.125f, -0.125f, 0.875f, 0};

/// A split of a sub-block's numbers, in ascending order, into those for -1, 0 and 1.
typedef struct {
  F score, scale;
  I first, second;  // numbers before `first` go to -1, those from `second` on to 1
  I kind;           // the shift of the sub-block; of its halves for IQ1_M. -1 before the first split
} KERNEL(ternary_split);

/// The places of numbers in ascending order, in each lane; zeros of both signs are equal, and NaNs lie at the ends.
INLINE void KERNEL(sort_numbers)(int n, const F *x, I *places) {
  I keys[32];
  for (int i = 0; i < n; i++) {
    I bits = (I)(x[i] + 0.f);
    keys[i] = bits ^ (bits >> 31 & INT32_MAX);
    places[i] = (I)i;
  }
  // Batcher's odd-even merge sort.
  for (int p = 1; p < n; p *= 2)
    for (int k = p; k >= 1; k /= 2)
      for (int j = k % p; j + k < n; j += 2 * k)
        for (int i = 0; i < k && i + j + k < n; i++) {
          int a = i + j, b = a + k;
          if (a / (2 * p) != b / (2 * p)) continue;
          I swaps = (keys[a] > keys[b]) | ((keys[a] == keys[b]) & (places[a] > places[b]));
          I low_key = swaps ? keys[b] : keys[a], low_place = swaps ? places[b] : places[a];
          keys[b] = swaps ? keys[a] : keys[b];
          places[b] = swaps ? places[a] : places[b];
          keys[a] = low_key;
          places[a] = low_place;
        }
}

INLINE void KERNEL(try_split)(KERNEL(ternary_split) *best, F sum_qx, F sum_q2, int first, int second, int kind) {
  I better = (sum_q2 > 0.f) & (sum_qx * sum_qx > best->score * sum_q2);
  F scale = sum_qx / sum_q2;
  best->scale = better ? scale : best->scale;
  best->score = better ? scale * sum_qx : best->score;
  best->first = better ? (I)first : best->first;
  best->second = better ? (I)second : best->second;
  best->kind = better ? (I)kind : best->kind;
}

/// The number of a table of three that each lane's place says.
INLINE F KERNEL(choose_of_three)(const float values[4], I place) {
  return place == 0 ? KERNEL(spread)(values[0]) : place == 1 ? KERNEL(spread)(values[1]) : KERNEL(spread)(values[2]);
}

/// iq1_find_best_neighbour2 for one lane: the code of the neighbour with the least error, the first of them.
INLINE int KERNEL(best_ternary_neighbour)(
  const kist_grid *grid, const kist_grid_point *point, const F *x, const F *weights, int lane, float scale,
  const float values[4]
) {
  const uint16_t *list = grid->neighbours + point->start;
  float errors[8][4];
  for (int i = 0; i < 8; i++)
    for (int l = 0; l < 3; l++) {
      float difference = scale * values[l] - ((const float *)&x[i])[lane];
      errors[i][l] = ((const float *)&weights[i])[lane] * difference * difference;
    }
#if KIST_HAS_SHUFFLE
  F tables[8];
  for (int i = 0; i < 8; i++)
    for (int k = 0; k < LANES; k++) tables[i][k] = errors[i][k % 4 < 3 ? k % 4 : 0];
  kist_u32x16 best = (kist_u32x16)0x7F7FFFFFu;
  I best_start = (I)0;
  for (int j = 0; j < point->length; j += LANES) {
    kist_u16x16 packed;
    memcpy(&packed, list + j, sizeof(packed));
    I codes = __builtin_convertvector(packed, I);
    F sum = KERNEL(look_up_level)(tables[0], codes, 2);
    UNROLL for (int i = 1; i < 8; i++) sum += KERNEL(look_up_level)(tables[i], codes >> 2 * i, 2);
    I better = (kist_u32x16)sum < best;
    best = better ? (kist_u32x16)sum : best;
    best_start = better ? (I)j : best_start;
  }
  const I order = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  uint32_t least = __builtin_reduce_min(best);
  if (least >= 0x7F7FFFFF) return list[0];
  return list[__builtin_reduce_min(best == least ? best_start + order : (I)INT32_MAX)];
#else
  float least = FLT_MAX;
  int best = list[0];
  for (int j = 0; j < point->length; j++) {
    float sum = errors[0][list[j] & 3];
    for (int i = 1; i < 8; i++) sum += errors[i][list[j] >> 2 * i & 3];
    best = sum < least ? list[j] : best;
    least = sum < least ? sum : least;
  }
  return best;
#endif
}

/// Turns the best split into points of the grid, and betters the scale when some group was none.
///
/// - halves: 1 when the two groups of a sub-block have shifts of their own, else 0.
/// - is_up: where a group's shift is up.
INLINE void KERNEL(place_split)(
  int n, const F *x, const F *weights, const I *places, KERNEL(ternary_split) *best, const I *is_up, I *codes
) {
  const kist_grid *grid = kist_find_grid(kist_iq1_grid);
  I all_on_grid = (I)-1, negative = best->scale < 0.f;
  best->scale = negative ? -best->scale : best->scale;
  for (int k = 0; k < n / 8; k++) codes[k] = (I)0;
  for (int j = 0; j < n; j++) {
    I l = best->first > j ? (I)0 : best->second > j ? (I)1 : (I)2;
    l = negative ? 2 - l : l;
    for (int k = 0; k < n / 8; k++) codes[k] |= (places[j] >> 3) == k ? l << 2 * (places[j] & 7) : (I)0;
  }
  for (int k = 0; k < n / 8; k++)
    for (int lane = 0; lane < LANES; lane++) {
      const kist_grid_point *point = kist_point_of_code(grid, (unsigned)codes[k][lane]);
      if (point->place >= 0) continue;
      all_on_grid[lane] = 0;
      codes[k][lane] = KERNEL(best_ternary_neighbour)(
        grid, point, x + 8 * k, weights + 8 * k, lane, best->scale[lane],
        is_up[k][lane] ? KERNEL(shifted_up) : KERNEL(shifted_down));
    }
  F sum_qx = (F)(0.f), sum_q2 = (F)(0.f);
  for (int i = 0; i < n; i++) {
    I l = codes[i / 8] >> 2 * (i % 8) & 3;
    F up = KERNEL(choose_of_three)(KERNEL(shifted_up), l), down = KERNEL(choose_of_three)(KERNEL(shifted_down), l);
    F q = is_up[i / 8] ? up : down;
    sum_qx += weights[i] * q * x[i];
    sum_q2 += weights[i] * q * q;
  }
  best->scale = (~all_on_grid & (sum_qx > 0.f) & (sum_q2 > 0.f)) ? sum_qx / sum_q2 : best->scale;
}

/// The greatest magnitude, as MAX has it.
INLINE F KERNEL(greatest_of)(const F *x, int n) {
  F greatest = KERNEL(magnitude)(x[0]);
  for (int i = 1; i < n; i++) {
    F size = KERNEL(magnitude)(x[i]);
    greatest = greatest > size ? greatest : size;
  }
  return greatest;
}

INLINE void KERNEL(ternary_weights)(const KERNEL(super_blocks) *s, int first, int n, F sigma2, F *weights) {
  if (s->has_importance) {
    KERNEL(weigh)(s->x + first, s->importance + first, n, sigma2, weights);
  } else {
    for (int i = 0; i < n; i++) weights[i] = s->x[first + i] * s->x[first + i];
  }
}

/// The best split of 32 numbers with one shift: kind 1 up, 0 down.
INLINE void KERNEL(split_iq1_s)(const F *x, const F *weights, const I *places, KERNEL(ternary_split) *best) {
  F sum_x[33], sum_w[33];
  sum_x[0] = sum_w[0] = (F)(0.f);
  for (int j = 0; j < 32; j++) {
    F product, weight;
    for (int lane = 0; lane < LANES; lane++) {
      int i = ((const int *)&places[j])[lane];
      weight[lane] = ((const float *)&weights[i])[lane];
      product[lane] = ((const float *)&weights[i])[lane] * ((const float *)&x[i])[lane];
    }
    sum_x[j + 1] = sum_x[j] + product;
    sum_w[j + 1] = sum_w[j] + weight;
  }
  const float *up = KERNEL(shifted_up), *down = KERNEL(shifted_down);
  for (int first = 0; first <= 32; first++)
    for (int second = first; second <= 32; second++) {
      F low_x = sum_x[first] - sum_x[0], middle_x = sum_x[second] - sum_x[first], high_x = sum_x[32] - sum_x[second];
      F low_w = sum_w[first] - sum_w[0], middle_w = sum_w[second] - sum_w[first], high_w = sum_w[32] - sum_w[second];
      KERNEL(try_split)(
        best, low_x * up[0] + middle_x * up[1] + high_x * up[2],
        low_w * up[0] * up[0] + middle_w * up[1] * up[1] + high_w * up[2] * up[2], first, second, 1);
      KERNEL(try_split)(
        best, low_x * down[0] + middle_x * down[1] + high_x * down[2],
        low_w * down[0] * down[0] + middle_w * down[1] * down[1] + high_w * down[2] * down[2], first, second, 0);
    }
}

static void KERNEL(quantize_iq1_s)(KERNEL(super_blocks) *s) {
  const kist_grid *grid = kist_find_grid(kist_iq1_grid);
  F sigma2 = 2.f * KERNEL(sum_of_squares)(s->x, 256) / 256.f, scales[8], greatest = (F)(0.f);
  I words[8], shifts_down[8];
  for (int j = 0; j < 8; j++) {
    const F *x = s->x + 32 * j;
    F weights[32];
    I places[32], codes[4], is_up[4];
    KERNEL(ternary_weights)(s, 32 * j, 32, sigma2, weights);
    F size = KERNEL(greatest_of)(x, 32);
    KERNEL(sort_numbers)(32, x, places);
    KERNEL(ternary_split) best = {(F)(-FLT_MAX), size, (I)-1, (I)-1, (I)-1};
    KERNEL(split_iq1_s)(x, weights, places, &best);
    I none = (size < 1e-12f) | (best.kind < 0), flips = best.scale < 0.f;
    for (int k = 0; k < 4; k++) is_up[k] = (best.kind == 1) ^ flips;
    KERNEL(place_split)(32, x, weights, places, &best, is_up, codes);
    words[j] = (I)0;
    for (int k = 0; k < 4; k++) {
      I place = none ? (I)0 : KERNEL(places_of_codes)(grid, codes[k]);
      s->block[2 + 4 * j + k] = KERNEL(bytes_of)(place);
      words[j] |= place >> 8 << 3 * k;
    }
    scales[j] = none ? KERNEL(spread)(0) : best.scale;
    shifts_down[j] = ~none & ~is_up[0];
    greatest = greatest > scales[j] ? greatest : scales[j];
  }
  I nonzero = greatest != 0.f;
  F d = greatest / 15.f, factor = 1.f / d;
  KERNEL(set_half)(s->block, nonzero ? KERNEL(half_of)(d * 1.125f) : (I)0);
  for (int j = 0; j < 8; j++) {
    I l = KERNEL(clamp)(KERNEL(nearest)(0.5f * (factor * scales[j] - 1.f)), 0, 7) | (shifts_down[j] & 8);
    I word = words[j] | (nonzero & l << 12);
    s->block[34 + 2 * j] = KERNEL(bytes_of)(word);
    s->block[35 + 2 * j] = KERNEL(bytes_of)(word >> 8);
  }
}

/// The best split of 16 numbers whose halves have shifts of their own: kind's bit 1 says that the first half's is down,
/// bit 0 that the second's is.
INLINE void KERNEL(split_iq1_m)(const F *x, const F *weights, const I *places, KERNEL(ternary_split) *best) {
  F px[2][17], pw[2][17];
  px[0][0] = px[1][0] = pw[0][0] = pw[1][0] = (F)(0.f);
  for (int j = 0; j < 16; j++) {
    F product, weight;
    for (int lane = 0; lane < LANES; lane++) {
      int i = ((const int *)&places[j])[lane];
      weight[lane] = ((const float *)&weights[i])[lane];
      product[lane] = ((const float *)&weights[i])[lane] * ((const float *)&x[i])[lane];
    }
    for (int h = 0; h < 2; h++) {
      I mine = (places[j] >> 3) == h;
      px[h][j + 1] = mine ? px[h][j] + product : px[h][j];
      pw[h][j + 1] = mine ? pw[h][j] + weight : pw[h][j];
    }
  }
  const float *up = KERNEL(shifted_up), *down = KERNEL(shifted_down);
  const float up1 = up[0] * up[0] - up[1] * up[1], up2 = up[1] * up[1] - up[2] * up[2];
  const float down1 = down[0] * down[0] - down[1] * down[1], down2 = down[1] * down[1] - down[2] * down[2];
  for (int first = 0; first <= 16; first++)
    for (int second = first; second <= 16; second++) {
      F qx[2][2], q2[2][2];  // [half][shift is down]
      UNROLL for (int h = 0; h < 2; h++) {
        F sum = px[h][first] + px[h][second];
        qx[h][0] = px[h][16] * up[2] - sum;
        qx[h][1] = px[h][16] * down[2] - sum;
        q2[h][0] = pw[h][16] * up[2] * up[2] + pw[h][first] * up1 + pw[h][second] * up2;
        q2[h][1] = pw[h][16] * down[2] * down[2] + pw[h][first] * down1 + pw[h][second] * down2;
      }
      UNROLL for (int kind = 0; kind < 4; kind++)
        KERNEL(try_split)(
          best, qx[0][kind >> 1] + qx[1][kind & 1], q2[0][kind >> 1] + q2[1][kind & 1], first, second, kind);
    }
}

static void KERNEL(quantize_iq1_m)(KERNEL(super_blocks) *s) {
  const kist_grid *grid = kist_find_grid(kist_iq1_grid);
  F sigma2 = 2.f * KERNEL(sum_of_squares)(s->x, 256) / 256.f, scales[16], greatest = (F)(0.f);
  I codes[32], kinds[16];
  for (int j = 0; j < 16; j++) {
    const F *x = s->x + 16 * j;
    F weights[16];
    I places[16], is_up[2];
    KERNEL(ternary_weights)(s, 16 * j, 16, sigma2, weights);
    F size = KERNEL(greatest_of)(x, 16);
    KERNEL(sort_numbers)(16, x, places);
    KERNEL(ternary_split) best = {(F)(-FLT_MAX), size, (I)-1, (I)-1, (I)-1};
    KERNEL(split_iq1_m)(x, weights, places, &best);
    I none = (size < 1e-7f) | (best.kind < 0);
    I kind = best.scale < 0.f ? 3 - best.kind : best.kind;
    is_up[0] = (kind & 2) == 0;
    is_up[1] = (kind & 1) == 0;
    KERNEL(place_split)(16, x, weights, places, &best, is_up, codes + 2 * j);
    kinds[j] = none ? (I)0 : kind;
    scales[j] = none ? KERNEL(spread)(0) : best.scale;
    I first = none ? (I)0 : KERNEL(places_of_codes)(grid, codes[2 * j]);
    I second = none ? (I)0 : KERNEL(places_of_codes)(grid, codes[2 * j + 1]);
    // A sub-block that is zero has the grid's first point.
    codes[2 * j] = none ? (I)(int)kist_grid_iq1[0] : codes[2 * j];
    codes[2 * j + 1] = none ? (I)(int)kist_grid_iq1[0] : codes[2 * j + 1];
    s->block[2 * j] = KERNEL(bytes_of)(first);
    s->block[2 * j + 1] = KERNEL(bytes_of)(second);
    s->block[32 + j] = KERNEL(bytes_of)(first >> 8 | second >> 8 << 4);
    greatest = greatest > scales[j] ? greatest : scales[j];
  }
  I nonzero = greatest != 0.f, words[4] = {(I)0, (I)0, (I)0, (I)0};
  F d = greatest / 15.f, factor = 1.f / d, sum_qx = (F)(0.f), sum_q2 = (F)(0.f), weights[16];
  for (int j = 0; j < 16; j++) {
    I l = KERNEL(clamp)(KERNEL(nearest)(0.5f * (factor * scales[j] - 1.f)), 0, 7);
    words[j / 4] |= nonzero & l << 3 * (j % 4);
    s->block[32 + j] |= KERNEL(bytes_of)(nonzero & ((kinds[j] & 1) << 7 | (kinds[j] & 2) << 2));
    KERNEL(ternary_weights)(s, 16 * j, 16, sigma2, weights);
    F multiple = KERNEL(float_of)(2 * l + 1);
    for (int i = 0; i < 16; i++) {
      I number = codes[2 * j + i / 8] >> 2 * (i % 8) & 3, is_down = (kinds[j] & (i < 8 ? 2 : 1)) != 0;
      F up = KERNEL(choose_of_three)(KERNEL(shifted_up), number);
      F down = KERNEL(choose_of_three)(KERNEL(shifted_down), number), q = (is_down ? down : up) * multiple;
      sum_qx += weights[i] * q * s->x[16 * j + i];
      sum_q2 += weights[i] * q * q;
    }
  }
  d = sum_q2 > 0.f ? sum_qx / sum_q2 : d;
  I half = nonzero & KERNEL(half_of)(d * 1.1125f);
  for (int k = 0; k < 4; k++) {
    I word = words[k] | (half >> 4 * k & 15) << 12;
    s->block[48 + 2 * k] = KERNEL(bytes_of)(word);
    s->block[49 + 2 * k] = KERNEL(bytes_of)(word >> 8);
  }
}

QUANTIZE_SUPER_BLOCKS(iq1_s)
QUANTIZE_SUPER_BLOCKS(iq1_m)
