// SIMD inner loops. Each is plain C that the compiler vectorizes, once per kind of processor, and each has a plain
// Swift twin that defines it.

#ifndef KIST_KERNELS_H
#define KIST_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// Splits `count` components of `width` bytes (2, 4 or 8), each rotated left by `rotation` bits (0 or 1), into
/// planes of `count` bytes, most significant first. spec/kist-format.md, "Transforms".
void kist_split_planes(const uint8_t *components, size_t count, int width, int rotation, uint8_t *planes);

/// Undoes kist_split_planes.
void kist_merge_planes(const uint8_t *planes, size_t count, int width, int rotation, uint8_t *components);

/// Counts each byte value of a run.
void kist_histogram(const uint8_t *bytes, size_t count, uint32_t counts[256]);

#endif
