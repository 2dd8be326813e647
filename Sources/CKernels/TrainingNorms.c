#include <math.h>

#include "Clones.h"
#include "LaneMath.h"
#include "Training.h"

#pragma STDC FP_CONTRACT OFF

// With x̂ = (x - mean) · scale and g = weight · dy:  dx = scale · (g - mean(g) - x̂ · mean(g · x̂)); the first mean is 0 for RMS norms.
// Source: Ba, Kiros and Hinton 2016; Zhang and Sennrich 2019; by the chain rule.

/// Loads g = weight · dy; lanes beyond the row are 0.
INLINE void load_weighted(const float *weight, const float *dy, size_t i, size_t width, floats *g) {
  load_lanes(dy + i, width, 0, g);
  if (weight) {
    floats factor;
    load_lanes(weight + i, width, 0, &factor);
    *g *= factor;
  }
}

INLINE void norm_backward(
    const float *x, const float *weight, const float *dy, size_t count, bool adds, float *dx, double mean, float scale,
    bool is_centered) {
  doubles sum = {0}, product = {0};
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats part, g;
    load_lanes(x + i, width, (float)mean, &part);
    load_weighted(weight, dy, i, width, &g);
    sum += WIDENED(g);
    product += WIDENED(g) * (WIDENED(part) - mean);
  }
  double first = is_centered ? sum_of_wide_lanes(&sum) / (double)count : 0;
  double second = sum_of_wide_lanes(&product) / (double)count * scale * scale;
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats part, g, before;
    load_lanes(x + i, width, 0, &part);
    load_weighted(weight, dy, i, width, &g);
    floats result = NARROWED((WIDENED(g) - first - (WIDENED(part) - mean) * second) * scale);
    if (adds) {
      load_lanes(dx + i, width, 0, &before);
      result += before;
    }
    store_lanes(&result, width, dx + i);
  }
}

KIST_CLONES void kist_rms_norm_backward(
    const float *x, const float *weight, const float *dy, float epsilon, size_t count, bool adds, float *dx,
    float *statistics) {
  doubles squares = {0};
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    load_lanes(x + i, lanes_from(i, count), 0, &part);
    doubles wide = WIDENED(part);
    squares += wide * wide;
  }
  float scale = (float)(1 / sqrt(sum_of_wide_lanes(&squares) / (double)count + epsilon));
  statistics[0] = 0;
  statistics[1] = scale;
  norm_backward(x, weight, dy, count, adds, dx, 0, scale, false);
}

KIST_CLONES void kist_layer_norm_backward(
    const float *x, const float *weight, const float *dy, float epsilon, size_t count, bool adds, float *dx,
    float *statistics) {
  doubles sum = {0}, squares = {0};
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    load_lanes(x + i, lanes_from(i, count), 0, &part);
    sum += WIDENED(part);
  }
  double mean = sum_of_wide_lanes(&sum) / (double)count;
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats part;
    load_lanes(x + i, width, 0, &part);
    doubles difference = WIDENED(part) - mean;
    for (size_t k = width; k < lanes; k++) difference[k] = 0;
    squares += difference * difference;
  }
  float scale = (float)(1 / sqrt(sum_of_wide_lanes(&squares) / (double)count + epsilon));
  statistics[0] = (float)mean;
  statistics[1] = scale;
  norm_backward(x, weight, dy, count, adds, dx, mean, scale, true);
}

INLINE void add_sums(const doubles *sums, size_t width, float *out) {
  floats before;
  load_lanes(out, width, 0, &before);
  before = NARROWED(WIDENED(before) + *sums);
  store_lanes(&before, width, out);
}

KIST_CLONES void kist_norm_weights_backward(
    const float *x, const float *dy, const float *statistics, size_t row_count, size_t stride, size_t count,
    float *dweight, float *dbias) {
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    doubles weights = {0}, biases = {0};
    for (size_t row = 0; row < row_count; row++) {
      floats part, g;
      load_lanes(x + row * stride + i, width, 0, &part);
      load_lanes(dy + row * stride + i, width, 0, &g);
      weights += WIDENED(g * ((part - statistics[2 * row]) * statistics[2 * row + 1]));
      biases += WIDENED(g);
    }
    if (dweight) add_sums(&weights, width, dweight + i);
    if (dbias) add_sums(&biases, width, dbias + i);
  }
}

KIST_CLONES void kist_add_column_sums(
    const float *rows, size_t row_count, size_t stride, size_t count, float *sums) {
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    doubles total = {0};
    for (size_t row = 0; row < row_count; row++) {
      floats part;
      load_lanes(rows + row * stride + i, width, 0, &part);
      total += WIDENED(part);
    }
    add_sums(&total, width, sums + i);
  }
}
