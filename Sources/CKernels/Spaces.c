#include "CKernels.h"
#include "Clones.h"

#include <string.h>

// Text between spaces, as SentencePiece sees it: spaces become ▁ (U+2581: E2 96 81), and each ▁ begins a word.

typedef uint8_t bytes64 __attribute__((vector_size(64)));
typedef bool bits64 __attribute__((ext_vector_type(64)));
typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef bool bits16 __attribute__((ext_vector_type(16)));

static inline __attribute__((always_inline)) uint64_t places(const uint8_t *text, uint8_t byte) {
  bytes64 x;
  memcpy(&x, text, sizeof(x));
  bits64 bits = __builtin_convertvector(x == byte, bits64);
  uint64_t mask;
  memcpy(&mask, &bits, sizeof(mask));
  return mask;
}

static inline bool is_marker(const uint8_t *text, size_t count, size_t place) {
  return count - place >= 3 && text[place] == 0xE2 && text[place + 1] == 0x96 && text[place + 2] == 0x81;
}

KIST_CLONES size_t kist_marker_ends(const uint8_t *text, size_t count, size_t start, size_t *ends, size_t capacity) {
  size_t place = start + 1, written = 0;
  while (place < count && written < capacity) {
    if (place < 3 || place + 61 > count) {
      if (is_marker(text, count, place) && !(place >= 3 && place - 3 >= start && is_marker(text, count, place - 3))) {
        ends[written++] = place;
      }
      place++;
      continue;
    }
    // Of the 64 bytes, the first three are before the places looked at, and the last two behind.
    const uint8_t *batch = text + place - 3;
    uint64_t markers = places(batch, 0xE2) & places(batch, 0x96) >> 1 & places(batch, 0x81) >> 2;
    uint64_t begins = markers & ~(markers << 3) & 0x3FFFFFFFFFFFFFF8;
    for (; begins; begins &= begins - 1) {
      ends[written++] = place - 3 + (size_t)__builtin_ctzll(begins);
      if (written == capacity) return written;
    }
    place += 59;
  }
  if (written < capacity && start < count) ends[written++] = count;
  return written;
}

KIST_CLONES size_t kist_copy_with_spaces(
    const uint8_t *text, size_t count, const uint8_t *space, size_t space_count, bool joins_spaces, bool *follows_space,
    uint8_t *output) {
  uint8_t *to = output;
  bool follows = *follows_space;
  size_t place = 0;
  while (place < count) {
    size_t length = 0;
    if (count - place >= 16) {
      bytes16 x;
      memcpy(&x, text + place, sizeof(x));
      memcpy(to, &x, sizeof(x));
      bits16 bits = __builtin_convertvector(x == ' ', bits16);
      uint16_t mask;
      memcpy(&mask, &bits, sizeof(mask));
      length = (size_t)__builtin_ctz(mask | 1u << 16);
    } else {
      while (place + length < count && text[place + length] != ' ') {
        to[length] = text[place + length];
        length++;
      }
    }
    to += length;
    place += length;
    if (length > 0) follows = false;
    if (place == count || text[place] != ' ') continue;
    if (!(joins_spaces && follows)) {
      for (size_t i = 0; i < space_count; i++) to[i] = space[i];
      to += space_count;
    }
    follows = true;
    place++;
  }
  *follows_space = follows;
  return (size_t)(to - output);
}

const void *kist_find_byte(const void *bytes, uint8_t byte, size_t count) { return memchr(bytes, byte, count); }
