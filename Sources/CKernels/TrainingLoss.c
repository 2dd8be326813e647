#include <math.h>

#include "Clones.h"
#include "Inference.h"
#include "LaneMath.h"
#include "Training.h"

#pragma STDC FP_CONTRACT OFF

KIST_CLONES void kist_softmax_backward(const float *weights, size_t count, float scale, float *dweights) {
  doubles sum = {0};
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats weight, gradient;
    load_lanes(weights + i, width, 0, &weight);
    load_lanes(dweights + i, width, 0, &gradient);
    sum += WIDENED(weight * gradient);
  }
  float mean = (float)sum_of_wide_lanes(&sum);
  for (size_t i = 0; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    floats weight, gradient;
    load_lanes(weights + i, width, 0, &weight);
    load_lanes(dweights + i, width, 0, &gradient);
    gradient = (gradient - mean) * weight * scale;
    store_lanes(&gradient, width, dweights + i);
  }
}

KIST_CLONES float kist_cross_entropy(float *logits, size_t count, size_t target, float scale) {
  float loss = kist_log_sum_exp(logits, count) - logits[target];
  kist_softmax(logits, count);
  for (size_t i = 0; i < count; i++) logits[i] *= scale;
  logits[target] -= scale;
  return loss;
}

KIST_CLONES double kist_sum_of_squares(const float *x, size_t count) {
  doubles sum = {0};
  for (size_t i = 0; i < count; i += lanes) {
    floats part;
    load_lanes(x + i, lanes_from(i, count), 0, &part);
    doubles wide = WIDENED(part);
    sum += wide * wide;
  }
  return sum_of_wide_lanes(&sum);
}
