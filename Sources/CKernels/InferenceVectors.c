#include "Clones.h"
#include "Inference.h"
#include "Lanes.h"

#pragma STDC FP_CONTRACT OFF

KIST_CLONES float kist_dot(const float *a, const float *b, size_t count) { return dot_product(a, b, count); }

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
