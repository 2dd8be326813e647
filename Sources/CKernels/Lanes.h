// Sixteen floats at a time, whatever the processor's own vectors are: element i belongs to lane i % 16, so that a sum
// is the same on every processor.
//
// Vectors are handed over by address: as arguments, they would be passed differently in each clone.

#ifndef KIST_LANES_H
#define KIST_LANES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

enum { lanes = 16 };
typedef float floats __attribute__((vector_size(4 * lanes), aligned(4)));
typedef uint32_t words __attribute__((vector_size(4 * lanes), aligned(4)));
typedef int32_t ints __attribute__((vector_size(4 * lanes), aligned(4)));
typedef double doubles __attribute__((vector_size(8 * lanes), aligned(8)));
typedef int64_t longs __attribute__((vector_size(8 * lanes), aligned(8)));

#define INLINE static inline __attribute__((always_inline))

/// The lanes of A where the mask is set, else those of B.
#define CHOOSE(MASK, A, B) ((floats)(((ints)(A) & (MASK)) | ((ints)(B) & ~(MASK))))
#define CHOOSE_DOUBLES(MASK, A, B) ((doubles)(((longs)(A) & (MASK)) | ((longs)(B) & ~(MASK))))

#define WIDENED(X) __builtin_convertvector(X, doubles)
#define NARROWED(X) __builtin_convertvector(X, floats)

/// How many of the elements from `i` on fit into one vector.
INLINE size_t lanes_from(size_t i, size_t count) { return count - i < lanes ? count - i : lanes; }

/// Loads `count` elements, at most as many as there are lanes; the other lanes become `fill`.
INLINE void load_lanes(const float *values, size_t count, float fill, floats *x) {
  if (count == lanes) {
    memcpy(x, values, sizeof(*x));
  } else {
    for (size_t k = 0; k < lanes; k++) (*x)[k] = k < count ? values[k] : fill;
  }
}

INLINE void store_lanes(const floats *x, size_t count, float *values) {
  if (count == lanes) {
    memcpy(values, x, sizeof(*x));
  } else {
    for (size_t k = 0; k < count; k++) values[k] = (*x)[k];
  }
}

// The sums of lanes add halves: 16 to 8, 8 to 4, 4 to 2, 2 to 1.
typedef float floats8 __attribute__((vector_size(32), aligned(4)));
typedef float floats4 __attribute__((vector_size(16), aligned(4)));

INLINE float sum_of_lanes(const floats *x) {
  floats8 a = __builtin_shufflevector(*x, *x, 0, 1, 2, 3, 4, 5, 6, 7) +
              __builtin_shufflevector(*x, *x, 8, 9, 10, 11, 12, 13, 14, 15);
  floats4 b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
  return (b[0] + b[2]) + (b[1] + b[3]);
}

INLINE double sum_of_wide_lanes(const doubles *x) {
  double sum[lanes];
  memcpy(sum, x, sizeof(sum));
  for (size_t width = lanes / 2; width > 0; width /= 2) {
    for (size_t k = 0; k < width; k++) sum[k] += sum[k + width];
  }
  return sum[0];
}

INLINE float maximum_of_lanes(const floats *x) {
  float maximum = (*x)[0];
  for (size_t k = 1; k < lanes; k++) maximum = (*x)[k] > maximum ? (*x)[k] : maximum;
  return maximum;
}

/// Four sums at once, so that one addition need not wait for the one before it.
INLINE float dot_product(const float *a, const float *b, size_t count) {
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

#endif
