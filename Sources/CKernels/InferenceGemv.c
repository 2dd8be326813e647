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

#if defined(__x86_64__)

typedef _Float16 halves __attribute__((vector_size(2 * lanes), aligned(2)));

/// With the processor's own conversion, which both clones above the default have.
INLINE void decode_f16(const void *source, size_t count, floats *w) {
  halves x = {0};
  memcpy(&x, source, count == lanes ? sizeof(x) : 2 * count);
  *w = __builtin_convertvector(x, floats);
}

#endif

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

INLINE void decode_f16_plainly(const void *source, size_t count, floats *w) {
  words bits;
  load_shorts(source, count, &bits);
  float_of_half(&bits, w);
}

// Bytes ahead of the sums. The processor itself does not look beyond the page: far ahead it is told to fetch into its
// second cache, near into its first.
enum { near_ahead = 1024, far_ahead = 8192 };

// Each row is summed up in 4 × 16 lanes, as in kist_dot.
#define GEMV(WIDTH, DECODE)                                                        \
  for (size_t row = 0; row < row_count; row++) {                                   \
    const char *weights = (const char *)rows + row * columns * (WIDTH);            \
    floats sums[4] = {{0}}, w, v;                                                  \
    size_t i = 0;                                                                  \
    for (; columns - i >= 4 * lanes; i += 4 * lanes) {                             \
      for (size_t k = 0; k < 4 * lanes * (WIDTH); k += 64) {                       \
        __builtin_prefetch(weights + i * (WIDTH) + k + far_ahead, 0, 2);           \
        __builtin_prefetch(weights + i * (WIDTH) + k + near_ahead, 0, 3);          \
      }                                                                            \
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

// Not KIST_CLONES: the conversion is written differently for processors that have none. The names are those that clang
// would have given.
#define F16_ARGUMENTS const void *rows, size_t row_count, size_t columns, const float *x, float *y

#if defined(__x86_64__)

void gemv_f16_v4(F16_ARGUMENTS) __asm__("kist_gemv_f16.arch_x86-64-v4.0");
void gemv_f16_v3(F16_ARGUMENTS) __asm__("kist_gemv_f16.arch_x86-64-v3.1");
void gemv_f16_default(F16_ARGUMENTS) __asm__("kist_gemv_f16.default.2");

__attribute__((target("arch=x86-64-v4"))) void gemv_f16_v4(F16_ARGUMENTS) { GEMV(2, decode_f16) }
__attribute__((target("arch=x86-64-v3"))) void gemv_f16_v3(F16_ARGUMENTS) { GEMV(2, decode_f16) }
void gemv_f16_default(F16_ARGUMENTS) { GEMV(2, decode_f16_plainly) }

void kist_gemv_f16(F16_ARGUMENTS) {
  if (__builtin_cpu_supports("x86-64-v4")) {
    gemv_f16_v4(rows, row_count, columns, x, y);
  } else if (__builtin_cpu_supports("x86-64-v3")) {
    gemv_f16_v3(rows, row_count, columns, x, y);
  } else {
    gemv_f16_default(rows, row_count, columns, x, y);
  }
}

#else

void kist_gemv_f16(F16_ARGUMENTS) { GEMV(2, decode_f16_plainly) }

#endif

// A block of Q8_0: the scale as binary16, then 32 signed bytes; ggml-common.h.
enum { q8_0_width = 32, q8_0_bytes = 34 };

INLINE float scale_of_block(const char *block) {
  uint16_t half;
  memcpy(&half, block, 2);
  uint32_t magnitude = (uint32_t)(half & 0x7FFF) << 13;
  if (magnitude >= 0x00800000u && magnitude < 0x0F800000u) {  // neither subnormal nor infinite nor NaN
    uint32_t number = (magnitude + (112u << 23)) | (uint32_t)(half & 0x8000) << 16;
    float scale;
    memcpy(&scale, &number, 4);
    return scale;
  }
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
    size_t i = 0;
    for (; blocks - i >= 2; i += 2) {
      __builtin_prefetch(block + i * q8_0_bytes + far_ahead, 0, 2);
      __builtin_prefetch(block + i * q8_0_bytes + near_ahead, 0, 3);
      add_block(block + i * q8_0_bytes, x + i * q8_0_width, &sums[0]);
      add_block(block + (i + 1) * q8_0_bytes, x + (i + 1) * q8_0_width, &sums[1]);
    }
    if (i < blocks) add_block(block + i * q8_0_bytes, x + i * q8_0_width, &sums[0]);
    floats sum = sums[0] + sums[1];
    y[row] = sum_of_lanes(&sum);
  }
}
