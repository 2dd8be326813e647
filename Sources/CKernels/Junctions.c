#include "CKernels.h"
#include "Clones.h"
#include "Words.h"

// Cuts pieces where no two symbols can meet: Sources/KistTokenizers/Models/Junctions.swift says how it is known.

enum { reach = 3 };

// The bytes around a place: three before it and three behind it, zeros outside the text.
static inline uint64_t around(const uint8_t *text, size_t count, size_t place) {
  if (place >= reach && place + 5 <= count) return load(text + place - reach) & 0xFFFFFFFFFFFF;
  uint64_t bytes = 0;
  for (size_t i = 0; i < 2 * reach; i++) {
    if (place + i >= reach && place + i - reach < count) bytes |= (uint64_t)text[place + i - reach] << (8 * i);
  }
  return bytes;
}

// By kind, 3 × (bytes before - 1) + bytes behind - 1: the bytes that count.
static const uint64_t kept[9] = {
    0x0000FFFF0000, 0x00FFFFFF0000, 0xFFFFFFFF0000, 0x0000FFFFFF00, 0x00FFFFFFFF00,
    0xFFFFFFFFFF00, 0x0000FFFFFFFF, 0x00FFFFFFFFFF, 0xFFFFFFFFFFFF,
};

KIST_CLONES size_t kist_cut(
    const uint8_t *text, size_t count, size_t start, size_t end, const void *kinds, const void *contexts, int shift,
    size_t *ends, size_t capacity) {
  size_t written = 0;
  for (size_t place = start + 1; place < end; place++) {
    if ((text[place] & 0xC0) == 0x80) continue;
    uint64_t bytes = around(text, count, place);
    const uint8_t *kind = (const uint8_t *)kinds + 2 * (bytes >> 16 & 0xFFFF);
    bool joins = false;
    for (unsigned left = kind[0] | (unsigned)kind[1] << 8; left && !joins; left &= left - 1) {
      uint64_t number = (uint64_t)__builtin_ctz(left);
      if (number > 8) break;
      uint64_t bit = ((bytes & kept[number]) | number << 48) * 0x9E3779B97F4A7C15 >> shift;
      joins = ((const uint8_t *)contexts)[bit >> 3] >> (bit & 7) & 1;
    }
    if (joins) continue;
    ends[written++] = place;
    if (written == capacity) return written;
  }
  ends[written++] = end;
  return written;
}
