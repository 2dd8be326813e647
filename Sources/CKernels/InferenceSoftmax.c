#include <math.h>

#include "Clones.h"
#include "Inference.h"
#include "LaneMath.h"

#pragma STDC FP_CONTRACT OFF

/// The greatest of the elements and `least`; NaN is passed over.
INLINE float greatest(const float *values, size_t count, float least) {
  floats maximum = least + (floats){0}, x;
  for (size_t i = 0; i < count; i += lanes) {
    load_lanes(values + i, lanes_from(i, count), least, &x);
    maximum = CHOOSE(x > maximum, x, maximum);
  }
  return maximum_of_lanes(&maximum);
}

/// The sum of e^(x - maximum); the terms are left in `terms` unless it is null.
INLINE double sum_of_exp(const float *values, size_t count, float maximum, float *terms) {
  doubles sum = {0};
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats x, e;
    load_lanes(values + i, width, -INFINITY, &x);
    x -= maximum;
    exp_lanes(&x, &e);
    if (terms) store_lanes(&e, width, terms + i);
    // The lanes beyond the last element hold 0 already, unless the maximum is infinite.
    for (size_t k = width; k < lanes; k++) e[k] = 0;
    sum += WIDENED(e);
  }
  return sum_of_wide_lanes(&sum);
}

INLINE void scale_by(float *values, size_t count, float scale) {
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats x;
    load_lanes(values + i, width, 0, &x);
    x *= scale;
    store_lanes(&x, width, values + i);
  }
}

KIST_CLONES void kist_softmax(float *values, size_t count) {
  double sum = sum_of_exp(values, count, greatest(values, count, -INFINITY), values);
  scale_by(values, count, (float)(1 / sum));
}

KIST_CLONES void kist_softmax_sink(float *values, size_t count, float sink) {
  float maximum = greatest(values, count, sink);
  double sum = sum_of_exp(values, count, maximum, values) + sum_of_exp(&sink, 1, maximum, NULL);
  scale_by(values, count, (float)(1 / sum));
}

KIST_CLONES float kist_log_sum_exp(const float *values, size_t count) {
  float maximum = greatest(values, count, -INFINITY);
  float shift = isinf(maximum) ? 0 : maximum;
  return (float)(log(sum_of_exp(values, count, shift, NULL)) + shift);
}
