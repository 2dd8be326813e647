#include "Clones.h"
#include "Inference.h"
#include "Lanes.h"

#pragma STDC FP_CONTRACT OFF

// Four sums at once, so that one addition need not wait for the one before it.
KIST_CLONES float kist_dot(const float *a, const float *b, size_t count) {
  floats sums[4] = {{0}}, x, y;
  size_t i = 0;
  for (; count - i >= 4 * lanes; i += 4 * lanes) {
    for (size_t k = 0; k < 4; k++) {
      load_lanes(a + i + k * lanes, lanes, 0, &x);
      load_lanes(b + i + k * lanes, lanes, 0, &y);
      sums[k] += x * y;
    }
  }
  for (; i < count; i += lanes) {
    size_t width = lanes_from(i, count);
    load_lanes(a + i, width, 0, &x);
    load_lanes(b + i, width, 0, &y);
    sums[0] += x * y;
  }
  floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  return sum_of_lanes(&sum);
}

KIST_CLONES void kist_add_scaled(float *y, const float *x, float scale, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i] * scale;
}

KIST_CLONES void kist_add(float *y, const float *x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] += x[i];
}

KIST_CLONES void kist_scale(float *x, float scale, size_t count) {
  for (size_t i = 0; i < count; i++) x[i] *= scale;
}

KIST_CLONES void kist_multiply(float *y, const float *x, size_t count) {
  for (size_t i = 0; i < count; i++) y[i] *= x[i];
}

KIST_CLONES void kist_rotate_half(float *head, const float *cosines, const float *sines, size_t pairs) {
  float *first = head, *second = head + pairs;
  for (size_t i = 0; i < pairs; i++) {
    float a = first[i], b = second[i];
    first[i] = a * cosines[i] - b * sines[i];
    second[i] = b * cosines[i] + a * sines[i];
  }
}

KIST_CLONES void kist_rotate_interleaved(float *head, const float *cosines, const float *sines, size_t pairs) {
  for (size_t i = 0; i < pairs; i++) {
    float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * cosines[i] - b * sines[i];
    head[2 * i + 1] = b * cosines[i] + a * sines[i];
  }
}
