// The search for points of a grid, over lanes: a group of 8 or 4 numbers of a sub-block is rounded, and when that is no
// point of the grid, the best of its neighbours is taken.

/// What differs between the types that take numbers from a grid.
typedef struct {
  int grid;             // of kist_find_grid
  int size;             // of a sub-block
  int digits, bits;     // numbers of a group, bits of each in a code
  int levels;           // of a number
  int attempts;         // scales to try, on either side of the first
  float step;           // between them
  float epsilon;        // smaller sub-blocks are zero
  float sigma_factor;   // for the mean square that weighs numbers
  int has_even_signs;   // the number of signs in 8 is made even
  int starts_on_grid;   // what is assumed before the first attempt
  int redoes_all;       // at the end with the scale found: all groups, not only those that were not on the grid
} KERNEL(grid_kind);

/// What a search finds for a sub-block.
typedef struct {
  I codes[8], signs[4];
  F scale;
} KERNEL(grid_result);

#if KIST_HAS_SHUFFLE
/// Numbers from a table of 4 or 8 levels, repeated to fill the vector: by the lowest `bits` bits of places.
INLINE F KERNEL(look_up_level)(F table, I places, int bits) {
#if KIST_HAS_PERMUTE
  return bits == 2 ? (F)__builtin_ia32_vpermilvarps512(table, places) : (F)__builtin_ia32_permvarsf512(table, places);
#else
  F x;
  if (bits == 2) {
    x.lo = (KERNEL(f8))__builtin_ia32_vpermilvarps256(table.lo, places.lo);
    x.hi = (KERNEL(f8))__builtin_ia32_vpermilvarps256(table.lo, places.hi);
  } else {
    x.lo = (KERNEL(f8))__builtin_ia32_permvarsf256(table.lo, places.lo);
    x.hi = (KERNEL(f8))__builtin_ia32_permvarsf256(table.lo, places.hi);
  }
  return x;
#endif
}
#endif

/// iq2_find_best_neighbour and iq3_find_best_neighbour for one lane: the code of the neighbour with the least error, the
/// first of them.
///
/// The error of a number at each level is the same for all neighbours, so it is computed once; then 16 neighbours go at
/// a time. When all errors are infinite (llama.cpp gives up there), it is the first neighbour.
INLINE int KERNEL(best_neighbour)(
  const kist_grid *grid, const kist_grid_point *point, int digits, const F *x, const F *weights, int lane, float scale
) {
  const F levels4 = {1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7, 1, 3, 5, 7};
  const F levels8 = {1, 3, 5, 7, 9, 11, 13, 15, 1, 3, 5, 7, 9, 11, 13, 15};
  const uint16_t *list = grid->neighbours + point->start;
  const int bits = digits == 8 ? 2 : 3;
  F scaled = scale * (bits == 2 ? levels4 : levels8), errors[8];
  UNROLL for (int i = 0; i < digits; i++) {
    F difference = scaled - ((const float *)&x[i])[lane];
    errors[i] = ((const float *)&weights[i])[lane] * difference * difference;
  }
#if KIST_HAS_SHUFFLE
  // Errors are not negative: as whole numbers, their bits are in the order of their values, and NaNs are the greatest.
  kist_u32x16 best = (kist_u32x16)UINT32_MAX;
  I best_start = (I)0;
  for (int j = 0; j < point->length; j += LANES) {
    kist_u16x16 packed;
    memcpy(&packed, list + j, sizeof(packed));
    I codes = __builtin_convertvector(packed, I);
    F sum = KERNEL(look_up_level)(errors[0], codes, bits);
    UNROLL for (int i = 1; i < digits; i++) sum += KERNEL(look_up_level)(errors[i], codes >> bits * i, bits);
    if (point->length <= LANES) {
      uint32_t least = __builtin_reduce_min((kist_u32x16)sum);
      return least < 0x7F7FFFFF ? list[__builtin_ctz(KERNEL(bits_of)((kist_u32x16)sum == least))] : list[0];
    }
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
    float sum = errors[0][list[j] & ((1 << bits) - 1)];
    UNROLL for (int i = 1; i < digits; i++) sum += errors[i][list[j] >> bits * i & ((1 << bits) - 1)];
    best = sum < least ? list[j] : best;
    least = sum < least ? sum : least;
  }
  return best;
#endif
}

/// Takes the places in a grid of groups that are on it, and the best neighbours of those that are not.
///
/// - Returns: where a group is on the grid.
INLINE I KERNEL(move_to_grid)(
  const kist_grid *grid, int digits, const F *x, const F *weights, F scale, I *codes
) {
  I on_grid = (I)-1;
  for (int lane = 0; lane < LANES; lane++) {
    const kist_grid_point *point = kist_point_of_code(grid, (unsigned)((const int *)codes)[lane]);
    if (point->place >= 0) continue;
    ((int *)&on_grid)[lane] = 0;
    ((int *)codes)[lane] =
      KERNEL(best_neighbour)(grid, point, digits, x, weights, lane, ((const float *)&scale)[lane]);
  }
  return on_grid;
}

/// Rounds the groups of a sub-block in all lanes. `on_grid`: where a group needed no neighbour.
INLINE void KERNEL(round_to_grid)(
  KERNEL(grid_kind) kind, const kist_grid *grid, const F *x, const F *roots, F factor, F scale, I *codes, I *on_grid
) {
  UNROLL for (int group = 0; group < kind.size / kind.digits; group++) {
    const F *numbers = x + kind.digits * group;
    I code = (I)0;
    UNROLL for (int i = 0; i < kind.digits; i++) {
      I l = KERNEL(clamp)(KERNEL(nearest)(0.5f * (factor * numbers[i] - 1.f)), 0, kind.levels - 1);
      code |= l << kind.bits * i;
    }
    on_grid[group] = KERNEL(move_to_grid)(grid, kind.digits, numbers, roots + kind.digits * group, scale, &code);
    codes[group] = code;
  }
}

/// The sums of w x q and w q² over a sub-block, for the numbers q of its codes.
INLINE void KERNEL(sum_grid)(
  KERNEL(grid_kind) kind, const F *x, const F *weights, const I *codes, F *sum_qx, F *sum_q2
) {
  *sum_qx = *sum_q2 = (F)(0.f);
  UNROLL for (int i = 0; i < kind.size; i++) {
    int shift = kind.bits * (i % kind.digits), mask = (1 << kind.bits) - 1;
    F q = KERNEL(float_of)(2 * (codes[i / kind.digits] >> shift & mask) + 1);
    *sum_qx += weights[i] * x[i] * q;
    *sum_q2 += weights[i] * q * q;
  }
}

/// Makes numbers positive and gives their signs, 8 at a time; an odd one is made even where it costs least.
INLINE void KERNEL(take_signs)(KERNEL(grid_kind) kind, const F *weights, F *x, I *signs) {
  for (int k = 0; k < kind.size / 8; k++) {
    F *group = x + 8 * k, least;
    I bits = (I)0, odd = (I)0, cheapest = (I)0;
    for (int i = 0; i < 8; i++) {
      I negative = ~(group[i] >= 0.f);
      F cost = weights[8 * k + i] * group[i] * group[i];
      I cheaper = i == 0 ? (I)-1 : cost < least;
      least = cheaper ? cost : least;
      cheapest = cheaper ? (I)i : cheapest;
      bits |= negative & 1 << i;
      odd ^= negative;
      group[i] = negative ? -group[i] : group[i];
    }
    if (kind.has_even_signs) {
      for (int i = 0; i < 8; i++) {
        I flips = odd & (cheapest == i);
        group[i] = flips ? -group[i] : group[i];
        bits ^= flips & 1 << i;
      }
      bits &= 127;
    }
    signs[k] = bits;
  }
}

/// Searches the scale and the points of a sub-block. Where it is zero, everything is 0.
///
/// - x: overwritten with magnitudes.
INLINE KERNEL(grid_result) KERNEL(search_grid)(KERNEL(grid_kind) kind, const kist_grid *grid, F *x, const F *weights) {
  KERNEL(grid_result) result;
  F roots[32];
  int groups = kind.size / kind.digits, highest = 2 * kind.levels - 1;
  for (int i = 0; i < kind.size; i++) roots[i] = KERNEL(root)(weights[i]);
  KERNEL(take_signs)(kind, weights, x, result.signs);
  F greatest = x[0];
  for (int i = 1; i < kind.size; i++) greatest = greatest > x[i] ? greatest : x[i];
  I zero = greatest < kind.epsilon;
  F range = greatest, scale = greatest / (float)highest, best = (F)(0.f);
  if (kind.epsilon == 0) zero = greatest == 0.f;
  if (kind.grid == kist_iq2_xxs_grid) {
    I unused[32];
    scale = KERNEL(search_positive)(32, kind.levels + 1, x, weights, unused);
    range = scale * (float)kind.levels;
    zero |= range <= 0.f;
  }
  I on_grid[8], new_on_grid[8], new_codes[8];
  for (int k = 0; k < groups; k++) {
    result.codes[k] = (I)0;
    on_grid[k] = kind.starts_on_grid ? (I)-1 : (I)0;
  }
  F sum_qx, sum_q2;
  for (int attempt = -kind.attempts; attempt <= kind.attempts; attempt++) {
    F factor = ((float)highest + (float)attempt * kind.step) / range;
    KERNEL(round_to_grid)(kind, grid, x, roots, factor, 1.f / factor, new_codes, new_on_grid);
    KERNEL(sum_grid)(kind, x, weights, new_codes, &sum_qx, &sum_q2);
    I better = (sum_q2 > 0.f) & (sum_qx * sum_qx > best * sum_q2);
    F new_scale = sum_qx / sum_q2;
    scale = better ? new_scale : scale;
    best = better ? new_scale * sum_qx : best;
    for (int k = 0; k < groups; k++) {
      result.codes[k] = better ? new_codes[k] : result.codes[k];
      on_grid[k] = better ? new_on_grid[k] : on_grid[k];
    }
  }
  I all_on_grid = (I)-1;
  for (int k = 0; k < groups; k++) all_on_grid &= on_grid[k];
  I redoes = scale > 0.f;
  if (kind.grid != kist_iq2_xxs_grid) redoes &= ~all_on_grid;
  KERNEL(round_to_grid)(kind, grid, x, roots, 1.f / scale, scale, new_codes, new_on_grid);
  for (int k = 0; k < groups; k++) {
    I takes = kind.redoes_all ? redoes : redoes & ~on_grid[k];
    result.codes[k] = takes ? new_codes[k] : result.codes[k];
  }
  KERNEL(sum_grid)(kind, x, weights, result.codes, &sum_qx, &sum_q2);
  scale = (redoes & (sum_q2 > 0.f)) ? sum_qx / sum_q2 : scale;
  // Not to be expected, but scales have no sign.
  I negative = scale < 0.f;
  for (int k = 0; k < kind.size / 8; k++) {
    result.signs[k] ^= negative & (kind.has_even_signs ? 127 : 255);
    result.signs[k] = zero ? (I)0 : result.signs[k];
  }
  for (int k = 0; k < groups; k++) result.codes[k] = zero ? (I)0 : result.codes[k];
  scale = negative ? -scale : scale;
  result.scale = zero ? KERNEL(spread)(0) : scale;
  return result;
}

/// The places of codes in their grid; 0 where the sub-block is zero.
INLINE I KERNEL(places_of_codes)(const kist_grid *grid, I codes) {
  I places;
  for (int lane = 0; lane < LANES; lane++) places[lane] = kist_point_of_code(grid, (unsigned)codes[lane])->place;
  return places;
}
