#include <math.h>

#include "Clones.h"
#include "Inference.h"
#include "LaneMath.h"

#pragma STDC FP_CONTRACT OFF

// Sums are of doubles, in sixteen lanes: the squares are exact, and the order of the elements does not show.

KIST_CLONES void kist_rms_norm(const float *x, const float *weight, float epsilon, size_t count, float *out) {
  doubles squares = {0};
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    load_lanes(x + i, lanes_from(i, count), 0, &part);
    doubles wide = WIDENED(part);
    squares += wide * wide;
  }
  float scale = (float)(1 / sqrt(sum_of_wide_lanes(&squares) / (double)count + epsilon));
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats part, factor;
    load_lanes(x + i, width, 0, &part);
    part *= scale;
    if (weight) {
      load_lanes(weight + i, width, 0, &factor);
      part *= factor;
    }
    store_lanes(&part, width, out + i);
  }
}

KIST_CLONES void kist_layer_norm(
    const float *x, const float *weight, const float *bias, float epsilon, size_t count, float *out) {
  doubles sum = {0}, squares = {0};
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    load_lanes(x + i, lanes_from(i, count), 0, &part);
    sum += WIDENED(part);
  }
  double mean = sum_of_wide_lanes(&sum) / (double)count;
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    size_t width = lanes_from(i, count);
    load_lanes(x + i, width, 0, &part);
    doubles difference = WIDENED(part) - mean;
    if (width < lanes) {
      for (size_t k = width; k < lanes; k++) difference[k] = 0;
    }
    squares += difference * difference;
  }
  float scale = (float)(1 / sqrt(sum_of_wide_lanes(&squares) / (double)count + epsilon));
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats part, factor;
    load_lanes(x + i, width, 0, &part);
    part = NARROWED(WIDENED(part) - mean) * scale;
    if (weight) {
      load_lanes(weight + i, width, 0, &factor);
      part *= factor;
    }
    if (bias) {
      load_lanes(bias + i, width, 0, &factor);
      part += factor;
    }
    store_lanes(&part, width, out + i);
  }
}
