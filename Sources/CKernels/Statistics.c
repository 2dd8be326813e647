#include "CKernels.h"
#include "Clones.h"

#include <string.h>

// Sums must not depend on the processor: the compiler may not fuse a*b+c in one clone and not in another.
#pragma STDC FP_CONTRACT OFF

// Element i belongs to lane i % 8, whatever the processor's own vectors are.
enum { lanes = 8 };
typedef double numbers __attribute__((vector_size(8 * lanes), aligned(8)));
typedef int64_t masks __attribute__((vector_size(8 * lanes), aligned(8)));

static const numbers zero = {0};

/// The lanes of `a` where the mask is set, else those of `b`.
#define CHOOSE(MASK, A, B) ((numbers)(((masks)(A) & (MASK)) | ((masks)(B) & ~(MASK))))

// Vectors are handed over by address: as arguments, they would be passed differently in each clone.
#define INLINE static inline __attribute__((always_inline))

INLINE double sum_lanes(const numbers *x) {
  return (((*x)[0] + (*x)[1]) + ((*x)[2] + (*x)[3])) + (((*x)[4] + (*x)[5]) + ((*x)[6] + (*x)[7]));
}

INLINE uint64_t count_lanes(const masks *x) {
  int64_t sum = 0;
  for (int k = 0; k < lanes; k++) sum -= (*x)[k];  // a mask is -1 where it is set
  return (uint64_t)sum;
}

INLINE double maximum_of_lanes(const numbers *x) {
  double maximum = (*x)[0];
  for (int k = 1; k < lanes; k++) maximum = (*x)[k] > maximum ? (*x)[k] : maximum;
  return maximum;
}

/// Copies the last elements, fewer than there are lanes, and fills the other lanes.
INLINE void take_tail(const double *values, size_t count, double fill, double tail[lanes]) {
  for (size_t k = 0; k < lanes; k++) tail[k] = k < count % lanes ? values[count - count % lanes + k] : fill;
}

KIST_CLONES void kist_summarize(const double *values, size_t count, kist_summary *summary) {
  // Infinity is neither finite, nor NaN, nor zero: it fills the last lanes without being counted.
  const double infinity = __builtin_inf();
  double tail[lanes];
  take_tail(values, count, infinity, tail);

  numbers x, least = zero + infinity, greatest = zero - infinity, sum = zero, squares = zero;
  masks finite = {0}, nans = {0}, zeros = {0};
  for (size_t i = 0; i < count; i += lanes) {
    memcpy(&x, count - i >= lanes ? values + i : tail, sizeof(x));
    masks is_finite = x - x == zero;
    sum += CHOOSE(is_finite, x, zero);
    least = CHOOSE(is_finite & (x < least), x, least);
    greatest = CHOOSE(is_finite & (x > greatest), x, greatest);
    finite += is_finite;
    nans += x != x;
    zeros += x == zero;
  }
  summary->finite = count_lanes(&finite);
  summary->nans = count_lanes(&nans);
  summary->infinities = count - summary->finite - summary->nans;
  summary->zeros = count_lanes(&zeros);
  summary->mean = summary->finite > 0 ? sum_lanes(&sum) / (double)summary->finite : 0;

  for (size_t i = 0; i < count; i += lanes) {
    memcpy(&x, count - i >= lanes ? values + i : tail, sizeof(x));
    numbers difference = x - summary->mean;
    squares += CHOOSE(x - x == zero, difference * difference, zero);
  }
  numbers negated = -least;
  summary->squares = sum_lanes(&squares);
  summary->minimum = -maximum_of_lanes(&negated);
  summary->maximum = maximum_of_lanes(&greatest);
}

KIST_CLONES void kist_compare(const double *values, const double *reference, size_t count, kist_comparison *comparison) {
  double tail[lanes], reference_tail[lanes];
  take_tail(values, count, 0, tail);
  take_tail(reference, count, 0, reference_tail);

  numbers a, b, greatest = zero, errors = zero, squares = zero;
  masks differing = {0}, incomparable = {0};
  for (size_t i = 0; i < count; i += lanes) {
    memcpy(&a, count - i >= lanes ? values + i : tail, sizeof(a));
    memcpy(&b, count - i >= lanes ? reference + i : reference_tail, sizeof(b));
    numbers difference = a - b;
    masks is_finite = difference - difference == zero;
    masks differs = ~((a == b) | ((a != a) & (b != b)));
    numbers magnitude = (numbers)((masks)difference & INT64_MAX);
    greatest = CHOOSE(is_finite & (magnitude > greatest), magnitude, greatest);
    errors += CHOOSE(is_finite, difference * difference, zero);
    squares += CHOOSE(is_finite, b * b, zero);
    differing += differs;
    incomparable += differs & ~is_finite;
  }
  comparison->maximum = maximum_of_lanes(&greatest);
  comparison->errors = sum_lanes(&errors);
  comparison->squares = sum_lanes(&squares);
  comparison->differing = count_lanes(&differing);
  comparison->incomparable = count_lanes(&incomparable);
}

typedef float floats __attribute__((vector_size(4 * lanes), aligned(4)));

/// Widens the elements from `i` on; those past the end are 0.
INLINE void widen_lanes(const float *values, size_t i, size_t count, numbers *wide) {
  floats x = {0};
  memcpy(&x, values + i, (count - i >= lanes ? lanes : count - i) * sizeof(float));
  *wide = __builtin_convertvector(x, numbers);
}

KIST_CLONES void kist_measure_loss(
    const float *values, const float *written, const float *weights, size_t count, kist_loss *loss) {
  numbers a, b, w, greatest = zero, errors = zero, squares = zero, weighted = zero;
  masks nonfinite = {0};
  for (size_t i = 0; i < count; i += lanes) {
    widen_lanes(values, i, count, &a);
    widen_lanes(written, i, count, &b);
    numbers difference = b - a;
    masks is_finite = difference - difference == zero;
    numbers magnitude = (numbers)((masks)difference & INT64_MAX);
    numbers square = CHOOSE(is_finite, difference * difference, zero);
    greatest = CHOOSE(is_finite & (magnitude > greatest), magnitude, greatest);
    errors += square;
    squares += CHOOSE(is_finite, a * a, zero);
    nonfinite += ~(a - a == zero);
    if (!weights) continue;
    widen_lanes(weights, i, count, &w);
    weighted += w * square;
  }
  loss->maximum = maximum_of_lanes(&greatest);
  loss->errors = sum_lanes(&errors);
  loss->squares = sum_lanes(&squares);
  loss->weighted = sum_lanes(&weighted);
  loss->nonfinite = count_lanes(&nonfinite);
}
