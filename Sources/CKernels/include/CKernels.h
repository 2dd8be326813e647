// SIMD inner loops. Each is plain C that the compiler vectorizes, once per kind of processor, and each has a plain
// Swift twin that defines it.

#ifndef KIST_KERNELS_H
#define KIST_KERNELS_H

#include "BlockKernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Inference.h"

/// Splits `count` components of `width` bytes (2, 4 or 8), each rotated left by `rotation` bits (0 or 1), into
/// planes of `count` bytes, most significant first. spec/kist-format.md, "Transforms".
void kist_split_planes(const uint8_t *components, size_t count, int width, int rotation, uint8_t *planes);

/// Undoes kist_split_planes.
void kist_merge_planes(const uint8_t *planes, size_t count, int width, int rotation, uint8_t *components);

/// Counts each byte value of a run.
void kist_histogram(const uint8_t *bytes, size_t count, uint32_t counts[256]);

/// What kist_summarize finds out about a run of numbers. All but the counts are of the finite ones.
typedef struct {
  double minimum, maximum;  // infinity and -infinity when no number is finite
  double mean, squares;     // squares: the sum of (x - mean)^2
  uint64_t finite, nans, infinities, zeros;
} kist_summary;

/// Summarizes `count` numbers. Number i is summed up in lane i % 8, so that the result is the same on every processor.
void kist_summarize(const double *values, size_t count, kist_summary *summary);

/// What kist_compare finds out about two runs of numbers. The sums and the maximum are of pairs with a finite difference.
typedef struct {
  double maximum;          // of |a - b|
  double errors, squares;  // the sums of (a - b)^2 and of b^2
  uint64_t differing;      // pairs that are not equal; two NaNs count as equal
  uint64_t incomparable;   // of these, pairs without a finite difference
} kist_comparison;

/// Compares `count` numbers with those of a reference, in lanes as kist_summarize.
void kist_compare(const double *values, const double *reference, size_t count, kist_comparison *comparison);

/// Widens `count` numbers, at any address, exactly.
void kist_widen_f32(const void *source, size_t count, double *values);
void kist_widen_bf16(const void *source, size_t count, double *values);
void kist_widen_f16(const void *source, size_t count, double *values);

/// Widens `count` numbers, at any address, to f32, exactly.
void kist_bf16_to_f32(const void *source, size_t count, float *values);
void kist_f16_to_f32(const void *source, size_t count, float *values);

#endif
