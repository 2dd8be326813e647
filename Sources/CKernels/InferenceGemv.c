#include "Clones.h"
#include "Inference.h"
#include "Lanes.h"

#pragma STDC FP_CONTRACT OFF

typedef uint16_t shorts __attribute__((vector_size(2 * lanes), aligned(2)));
typedef int8_t bytes __attribute__((vector_size(lanes), aligned(1)));

// Each decodes 16 weights, the last `count` of a row, into lanes; those beyond become 0.

INLINE void decode_f32(const void *source, size_t count, floats *w) {
  *w = (floats){0};
  memcpy(w, source, count == lanes ? sizeof(*w) : 4 * count);
}

INLINE void load_shorts(const void *source, size_t count, words *bits) {
  shorts x = {0};
  memcpy(&x, source, count == lanes ? sizeof(x) : 2 * count);
  *bits = __builtin_convertvector(x, words);
}

INLINE void decode_bf16(const void *source, size_t count, floats *w) {
  words bits;
  load_shorts(source, count, &bits);
  *w = (floats)(bits << 16);
}

/// Moves the bits of binary16 to binary32's places and corrects the exponent: by 112 for a number, by 224 for infinity
/// and NaN. A subnormal number is given a leading one, which a subtraction takes away and normalizes: arithmetic with
/// subnormal numbers would be slow.
INLINE void float_of_half(const words *half, floats *w) {
  words magnitude = (*half & 0x7FFF) << 13;
  words special = (words)(magnitude >= 0x0F800000u) & (112u << 23);
  words number = magnitude + (112u << 23) + special;
  floats subnormal = (floats)(magnitude + (113u << 23)) - 0x1p-14f;
  floats value = CHOOSE((ints)(magnitude < 0x00800000u), subnormal, (floats)number);
  *w = (floats)((words)value | (*half & 0x8000) << 16);
}

INLINE void decode_f16(const void *source, size_t count, floats *w) {
  words bits;
  load_shorts(source, count, &bits);
  float_of_half(&bits, w);
}

// Each row is summed up in 4 × 16 lanes, as in kist_dot.
#define GEMV(WIDTH, DECODE)                                                        \
  for (size_t row = 0; row < row_count; row++) {                                   \
    const char *weights = (const char *)rows + row * columns * (WIDTH);            \
    floats sums[4] = {{0}}, w, v;                                                  \
    size_t i = 0;                                                                  \
    for (; columns - i >= 4 * lanes; i += 4 * lanes) {                             \
      for (size_t k = 0; k < 4; k++) {                                             \
        DECODE(weights + (i + k * lanes) * (WIDTH), lanes, &w);                    \
        load_lanes(x + i + k * lanes, lanes, 0, &v);                               \
        sums[k] += w * v;                                                          \
      }                                                                            \
    }                                                                              \
    for (; i < columns; i += lanes) {                                              \
      size_t width = lanes_from(i, columns);                                       \
      DECODE(weights + i * (WIDTH), width, &w);                                    \
      load_lanes(x + i, width, 0, &v);                                             \
      sums[0] += w * v;                                                            \
    }                                                                              \
    floats sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);                        \
    y[row] = sum_of_lanes(&sum);                                                   \
  }

KIST_CLONES void kist_gemv_f32(const void *rows, size_t row_count, size_t columns, const float *x, float *y) {
  GEMV(4, decode_f32)
}

KIST_CLONES void kist_gemv_bf16(const void *rows, size_t row_count, size_t columns, const float *x, float *y) {
  GEMV(2, decode_bf16)
}

KIST_CLONES void kist_gemv_f16(const void *rows, size_t row_count, size_t columns, const float *x, float *y) {
  GEMV(2, decode_f16)
}

// A block of Q8_0: the scale as binary16, then 32 signed bytes; ggml-common.h.
enum { q8_0_width = 32, q8_0_bytes = 34 };

INLINE float scale_of_block(const char *block) {
  uint16_t half;
  memcpy(&half, block, 2);
  words bits = half + (words){0};
  floats scale;
  float_of_half(&bits, &scale);
  return scale[0];
}

/// Adds the products of one block, both halves, to its sum.
INLINE void add_block(const char *block, const float *x, floats *sum) {
  bytes low, high;
  floats x_low, x_high;
  memcpy(&low, block + 2, sizeof(low));
  memcpy(&high, block + 2 + lanes, sizeof(high));
  load_lanes(x, lanes, 0, &x_low);
  load_lanes(x + lanes, lanes, 0, &x_high);
  floats products = NARROWED(low) * x_low + NARROWED(high) * x_high;
  *sum += products * scale_of_block(block);
}

KIST_CLONES void kist_gemv_q8_0(const void *rows, size_t row_count, size_t columns, const float *x, float *y) {
  size_t blocks = columns / q8_0_width;
  for (size_t row = 0; row < row_count; row++) {
    const char *block = (const char *)rows + row * blocks * q8_0_bytes;
    floats sums[2] = {{0}};
    for (size_t i = 0; i < blocks; i++) add_block(block + i * q8_0_bytes, x + i * q8_0_width, &sums[i % 2]);
    floats sum = sums[0] + sums[1];
    y[row] = sum_of_lanes(&sum);
  }
}
