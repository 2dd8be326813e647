// Little-endian words at any address.

#ifndef KIST_WORDS_H
#define KIST_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static inline uint64_t load(const uint8_t *bytes) {
  uint64_t x;
  memcpy(&x, bytes, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

// Whether a key begins with the two bytes at a place, of which the first is 0xC0 or more: KeyBeginnings.swift has the bits.
static inline bool begins_key(const uint64_t *beginnings, const uint8_t *text) {
  return beginnings[text[0] & 63] >> (text[1] & 63) & 1;
}

// The bytes of the character that begins with one of 0xC0 or more.
static inline size_t character_length(uint8_t first) { return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4; }

#endif
