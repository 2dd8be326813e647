// The searches for scales, over lanes: each lane does what the function of ggml-quants.c named with it does.

/// The number of the greatest magnitude, the first of them.
INLINE F KERNEL(extreme)(const F *x, int n, F *size) {
  F extreme = (F)(0.f);
  *size = (F)(0.f);
  for (int i = 0; i < n; i++) {
    F magnitude = KERNEL(magnitude)(x[i]);
    I larger = magnitude > *size;
    *size = larger ? magnitude : *size;
    extreme = larger ? x[i] : extreme;
  }
  return extreme;
}

/// make_qkx2_quants and make_qkx3_quants: a scale and a minimum such that x is about scale * l - minimum.
///
/// The numbers l, from 0 to `highest`, are made at the end from the best attempt's divisor and base.
INLINE F KERNEL(search_affine)(
  int n, int highest, const F *x, const F *w, float first, float step, int steps, int absolute, F *minimum, B *quants
) {
  F low = x[0], high = x[0], sum_w = w[0], sum_x = sum_w * x[0];
  for (int i = 1; i < n; i++) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
    sum_w += w[i];
    sum_x += w[i] * x[i];
  }
  low = low > 0.f ? KERNEL(spread)(0) : low;
  I flat = high == low;
  F factor = (float)highest / (high - low), scale = 1.f / factor, error = (F)(0.f);
  for (int i = 0; i < n; i++) {
    F l = KERNEL(float_of)(KERNEL(clamp)(KERNEL(nearest)(factor * (x[i] - low)), 0, highest));
    F difference = scale * l + low - x[i];
    error += w[i] * (absolute ? KERNEL(magnitude)(difference) : difference * difference);
  }
  F best_factor = factor, best_base = low;
  for (int attempt = 0; attempt <= steps; attempt++) {
    F l[32], sum_l = (F)(0.f), sum_l2 = (F)(0.f), sum_xl = (F)(0.f), range = high - low;
    factor = (first + step * (float)attempt + (float)highest) / range;
    for (int i = 0; i < n; i++) {
      l[i] = KERNEL(float_of)(KERNEL(clamp)(KERNEL(nearest)(factor * (x[i] - low)), 0, highest));
      F wl = w[i] * l[i];
      sum_l += wl;
      sum_l2 += wl * l[i];
      sum_xl += wl * x[i];
    }
    F determinant = sum_w * sum_l2 - sum_l * sum_l;
    F new_scale = (sum_w * sum_xl - sum_x * sum_l) / determinant;
    F new_low = (sum_l2 * sum_x - sum_l * sum_xl) / determinant;
    I positive = new_low > 0.f;
    new_scale = positive ? sum_xl / sum_l2 : new_scale;
    new_low = positive ? KERNEL(spread)(0) : new_low;
    F new_error = (F)(0.f);
    for (int i = 0; i < n; i++) {
      F difference = new_scale * l[i] + new_low - x[i];
      new_error += w[i] * (absolute ? KERNEL(magnitude)(difference) : difference * difference);
    }
    I better = (determinant > 0.f) & (new_error < error);
    best_factor = better ? factor : best_factor;
    best_base = better ? low : best_base;
    error = better ? new_error : error;
    scale = better ? new_scale : scale;
    low = better ? new_low : low;
  }
  for (int i = 0; i < n; i++) {
    I l = KERNEL(clamp)(KERNEL(nearest)(best_factor * (x[i] - best_base)), 0, highest);
    quants[i] = KERNEL(bytes_of)(flat ? (I)0 : l);
  }
  *minimum = -low;
  return flat ? KERNEL(spread)(0) : scale;
}

/// make_qx_quants with rmse_type 1: a scale such that x is about scale * (l - half), l from 0 to 2 * half - 1.
///
/// Without weights `w`, x² is taken.
INLINE F KERNEL(search_symmetric)(int n, int half, const F *x, const F *w, B *quants) {
  F size, extreme = KERNEL(extreme)(x, n, &size);
  I zero = size < EPSILON;
  F scale = (F)(0.f), best = (F)(0.f), best_factor = (F)(0.f);
  for (int attempt = -10; attempt <= 9; attempt++) {
    if (attempt == 0) continue;
    int is_first = attempt == -10;
    F factor = is_first ? -(float)half / extreme : -((float)half + 0.1f * (float)attempt) / extreme;
    F sum_lx = (F)(0.f), sum_l2 = (F)(0.f);
    for (int i = 0; i < n; i++) {
      F l = KERNEL(float_of)(KERNEL(clamp)(KERNEL(nearest)(factor * x[i]), -half, half - 1));
      F weight = w ? w[i] : x[i] * x[i];
      sum_lx += weight * x[i] * l;
      sum_l2 += weight * l * l;
    }
    if (is_first) {
      scale = sum_l2 != 0.f ? sum_lx / sum_l2 : KERNEL(spread)(0);
      best = scale * sum_lx;
      best_factor = factor;
    } else {
      I better = (sum_l2 > 0.f) & (sum_lx * sum_lx > best * sum_l2);
      F new_scale = sum_lx / sum_l2;
      scale = better ? new_scale : scale;
      best = better ? new_scale * sum_lx : best;
      best_factor = better ? factor : best_factor;
    }
  }
  for (int i = 0; i < n; i++) {
    I l = half + KERNEL(clamp)(KERNEL(nearest)(best_factor * x[i]), -half, half - 1);
    quants[i] = KERNEL(bytes_of)(zero ? (I)0 : l);
  }
  return zero ? KERNEL(spread)(0) : scale;
}

/// make_q3_quants with do_rmse: as above with half = 4 and weights x², by improving one number after the other.
///
/// Each number waits for the one before it, so four sub-blocks of 16 numbers go at a time.
INLINE void KERNEL(search_q3)(const F *x, F *scales, B *quants) {
  enum { n = 16, half = 4, runs = 4 };
  F sum_lx[runs], sum_l2[runs], l[runs * n];
  I zero[runs];
  UNROLL for (int k = 0; k < runs; k++) {
    F size, factor = -(float)half / KERNEL(extreme)(x + n * k, n, &size);
    zero[k] = size < EPSILON;
    sum_lx[k] = sum_l2[k] = (F)(0.f);
    for (int i = n * k; i < n * k + n; i++) {
      l[i] = KERNEL(float_of)(KERNEL(clamp)(KERNEL(nearest)(factor * x[i]), -half, half - 1));
      F weight = x[i] * x[i];
      sum_lx[k] += weight * x[i] * l[i];
      sum_l2[k] += weight * l[i] * l[i];
    }
  }
  for (int attempt = 0; attempt < 5; attempt++) {
    I changed = (I)0;
    for (int i = 0; i < n; i++) {
      UNROLL for (int k = 0; k < runs; k++) {
        F number = x[n * k + i], old_l = l[n * k + i], weight = number * number;
        F lx = sum_lx[k] - weight * number * old_l, l2 = sum_l2[k] - weight * old_l * old_l;
        F new_l = KERNEL(float_of)(KERNEL(clamp)(KERNEL(nearest)(number * l2 / lx), -half, half - 1));
        I candidate = (lx > 0.f) & (new_l != old_l);
        lx += weight * number * new_l;
        l2 += weight * new_l * new_l;
        I better = candidate & (l2 > 0.f) & (lx * lx * sum_l2[k] > sum_lx[k] * sum_lx[k] * l2);
        l[n * k + i] = better ? new_l : old_l;
        sum_lx[k] = better ? lx : sum_lx[k];
        sum_l2[k] = better ? l2 : sum_l2[k];
        changed |= better;
      }
    }
    if (!KERNEL(any)(changed)) break;
  }
  UNROLL for (int k = 0; k < runs; k++) {
    for (int i = n * k; i < n * k + n; i++)
      quants[i] = KERNEL(bytes_of)(zero[k] ? (I)0 : __builtin_convertvector(l[i], I) + half);
    scales[k] = zero[k] | ~(sum_l2[k] > 0.f) ? KERNEL(spread)(0) : sum_lx[k] / sum_l2[k];
  }
}

/// make_qp_quants: a scale such that x, not negative, is about scale * l, l from 0 to `highest`. `quants` are bytes.
INLINE F KERNEL(search_positive)(int n, int highest, const F *x, const F *w, I *quants) {
  F greatest = (F)(0.f);
  for (int i = 0; i < n; i++) greatest = greatest > x[i] ? greatest : x[i];
  I zero = greatest < EPSILON;
  F factor = (float)highest / greatest, scale = 1.f / factor, error = (F)(0.f);
  for (int i = 0; i < n; i++) {
    F difference = x[i] - scale * KERNEL(float_of)(KERNEL(nearest)(factor * x[i]) & 255);
    error += w[i] * difference * difference;
  }
  for (int attempt = -4; attempt <= 4; attempt++) {
    if (attempt == 0) continue;
    F new_factor = (0.1f * (float)attempt + (float)highest) / greatest, new_scale = 1.f / new_factor;
    F new_error = (F)(0.f);
    for (int i = 0; i < n; i++) {
      I l = __builtin_elementwise_min(KERNEL(nearest)(new_factor * x[i]), (I)highest);
      F difference = x[i] - new_scale * KERNEL(float_of)(l);
      new_error += w[i] * difference * difference;
    }
    I better = new_error < error;
    error = better ? new_error : error;
    factor = better ? new_factor : factor;
  }
  F sum_lx = (F)(0.f), sum_l2 = (F)(0.f);
  for (int i = 0; i < n; i++) {
    I number = __builtin_elementwise_min(KERNEL(nearest)(factor * x[i]), (I)highest);
    F l = KERNEL(float_of)(number);
    quants[i] = number & 255;
    sum_lx += w[i] * x[i] * l;
    sum_l2 += w[i] * l * l;
  }
  for (int attempt = 0; attempt < 5; attempt++) {
    I changed = (I)0;
    for (int i = 0; i < n; i++) {
      F l = KERNEL(float_of)(quants[i]);
      F lx = sum_lx - w[i] * x[i] * l, l2 = sum_l2 - w[i] * l * l;
      I number = __builtin_elementwise_min(KERNEL(nearest)(x[i] * l2 / lx), (I)highest);
      I candidate = (lx > 0.f) & (l2 > 0.f) & (number != quants[i]);
      F new_l = KERNEL(float_of)(number);
      lx += w[i] * x[i] * new_l;
      l2 += w[i] * new_l * new_l;
      I better = candidate & (lx * lx * sum_l2 > sum_lx * sum_lx * l2);
      quants[i] = better ? number & 255 : quants[i];
      sum_lx = better ? lx : sum_lx;
      sum_l2 = better ? l2 : sum_l2;
      changed |= better;
    }
    if (!KERNEL(any)(changed)) break;
  }
  for (int i = 0; i < n; i++) quants[i] = zero ? (I)0 : quants[i];
  return zero | ~(sum_l2 > 0.f) ? KERNEL(spread)(0) : sum_lx / sum_l2;
}
