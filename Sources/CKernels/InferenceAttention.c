#include "Clones.h"
#include "Inference.h"
#include "Lanes.h"

#pragma STDC FP_CONTRACT OFF

KIST_CLONES void kist_attend(
    const float *queries, const float *keys, const float *values, const kist_attention_shape *shape, float *scores,
    float *out) {
  size_t positions = shape->positions, size = shape->value_size;
  for (size_t p = 0; p < positions; p++) {
    for (size_t g = 0; g < shape->group; g++) {
      float score = dot_product(queries + g * shape->head_size, keys + p * shape->key_stride, shape->head_size);
      scores[g * positions + p] = score * shape->scale;
    }
  }
  for (size_t g = 0; g < shape->group; g++) {
    float *row = scores + g * positions;
    if (shape->cap != 0) kist_soft_cap(row, positions, shape->cap);
    if (shape->slopes) {
      for (size_t p = 0; p < positions; p++) row[p] -= shape->slopes[g] * (float)(positions - 1 - p);
    }
    if (shape->sinks) {
      kist_softmax_sink(row, positions, shape->sinks[g]);
    } else {
      kist_softmax(row, positions);
    }
  }
  if (shape->group * size > 0) memset(out, 0, 4 * shape->group * size);
  for (size_t p = 0; p < positions; p++) {
    const float *value = values + p * shape->value_stride;
    for (size_t g = 0; g < shape->group; g++) {
      float weight = scores[g * positions + p];
      float *restrict sum = out + g * size;
      for (size_t i = 0; i < size; i++) sum[i] += value[i] * weight;
    }
  }
}
