#include "CKernels.h"
#include "Clones.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

// One loop for every width: with W and ROTATION constant, the inner loop over planes unrolls and vectorizes.
#define SPLIT(NAME, TYPE, ROTATION)                                                                              \
  KIST_CLONES static void NAME(const uint8_t *restrict components, size_t count, uint8_t *restrict planes) {     \
    enum { width = sizeof(TYPE), bits = 8 * sizeof(TYPE) };                                                       \
    for (size_t i = 0; i < count; i++) {                                                                          \
      TYPE x;                                                                                                     \
      memcpy(&x, components + i * width, width);                                                                  \
      if (ROTATION) x = (TYPE)(x << 1 | x >> (bits - 1));                                                         \
      for (int k = 0; k < width; k++) planes[(size_t)k * count + i] = (uint8_t)(x >> (8 * (width - 1 - k)));      \
    }                                                                                                             \
  }

#define MERGE(NAME, TYPE, ROTATION)                                                                              \
  KIST_CLONES static void NAME(const uint8_t *restrict planes, size_t count, uint8_t *restrict components) {     \
    enum { width = sizeof(TYPE), bits = 8 * sizeof(TYPE) };                                                       \
    for (size_t i = 0; i < count; i++) {                                                                          \
      TYPE x = 0;                                                                                                 \
      for (int k = 0; k < width; k++) x |= (TYPE)((TYPE)planes[(size_t)k * count + i] << (8 * (width - 1 - k)));  \
      if (ROTATION) x = (TYPE)(x >> 1 | x << (bits - 1));                                                         \
      memcpy(components + i * width, &x, width);                                                                  \
    }                                                                                                             \
  }

SPLIT(split_16, uint16_t, 0)
SPLIT(split_32, uint32_t, 0)
SPLIT(split_64, uint64_t, 0)
SPLIT(split_16_rotated, uint16_t, 1)
SPLIT(split_32_rotated, uint32_t, 1)
SPLIT(split_64_rotated, uint64_t, 1)
MERGE(merge_16, uint16_t, 0)
MERGE(merge_32, uint32_t, 0)
MERGE(merge_64, uint64_t, 0)
MERGE(merge_16_rotated, uint16_t, 1)
MERGE(merge_32_rotated, uint32_t, 1)
MERGE(merge_64_rotated, uint64_t, 1)

void kist_split_planes(const uint8_t *components, size_t count, int width, int rotation, uint8_t *planes) {
  switch (width) {
    case 2: (rotation ? split_16_rotated : split_16)(components, count, planes); break;
    case 4: (rotation ? split_32_rotated : split_32)(components, count, planes); break;
    case 8: (rotation ? split_64_rotated : split_64)(components, count, planes); break;
  }
}

void kist_merge_planes(const uint8_t *planes, size_t count, int width, int rotation, uint8_t *components) {
  switch (width) {
    case 2: (rotation ? merge_16_rotated : merge_16)(planes, count, components); break;
    case 4: (rotation ? merge_32_rotated : merge_32)(planes, count, components); break;
    case 8: (rotation ? merge_64_rotated : merge_64)(planes, count, components); break;
  }
}

// A block's part of a plane goes over in one piece; with its length constant, in a few moves.
#define ROWS(LENGTH) \
  for (size_t i = 0; i < count; i++) memcpy(to + i * to_stride, from + i * from_stride, LENGTH)

static void copy_rows(
    uint8_t *restrict to, size_t to_stride, const uint8_t *restrict from, size_t from_stride, size_t length,
    size_t count) {
  switch (length) {
    case 4: ROWS(4); break;
    case 8: ROWS(8); break;
    case 16: ROWS(16); break;
    case 32: ROWS(32); break;
    case 64: ROWS(64); break;
    case 128: ROWS(128); break;
    default: ROWS(length);
  }
}

// Moves every byte of every component between its places in the planes and in the blocks. The width is constant, so that the
// innermost loop unrolls.
#define COMPONENTS(WIDTH, MOVE)                                                              \
  for (size_t i = 0; i < count; i++)                                                         \
    for (size_t j = 0; j < length; j++)                                                      \
      for (size_t k = 0; k < WIDTH; k++) {                                                   \
        const size_t plane = k * count * length + i * length + j;                            \
        const size_t byte = i * stride + j * WIDTH + (WIDTH - 1 - k);                        \
        MOVE;                                                                                \
      }

void kist_split_field(
    const uint8_t *restrict blocks, size_t count, size_t stride, int width, size_t length, uint8_t *restrict planes) {
  switch (width) {
    case 1: copy_rows(planes, length, blocks, stride, length, count); break;
    case 2: COMPONENTS(2, planes[plane] = blocks[byte]); break;
    case 4: COMPONENTS(4, planes[plane] = blocks[byte]); break;
    case 8: COMPONENTS(8, planes[plane] = blocks[byte]); break;
  }
}

void kist_merge_field(
    const uint8_t *restrict planes, size_t count, size_t stride, int width, size_t length, uint8_t *restrict blocks) {
  switch (width) {
    case 1: copy_rows(blocks, stride, planes, length, length, count); break;
    case 2: COMPONENTS(2, blocks[byte] = planes[plane]); break;
    case 4: COMPONENTS(4, blocks[byte] = planes[plane]); break;
    case 8: COMPONENTS(8, blocks[byte] = planes[plane]); break;
  }
}

// Four tables, so that a run of equal bytes does not wait for its own increments.
void kist_histogram(const uint8_t *bytes, size_t count, uint32_t counts[256]) {
  uint32_t tables[4][256];
  memset(tables, 0, sizeof(tables));
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t x;
    memcpy(&x, bytes + i, 8);
    for (int k = 0; k < 8; k++) tables[k & 3][(x >> (8 * k)) & 255]++;
  }
  for (; i < count; i++) tables[0][bytes[i]]++;
  for (i = 0; i < 256; i++) counts[i] = tables[0][i] + tables[1][i] + tables[2][i] + tables[3][i];
}
