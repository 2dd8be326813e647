#include "CKernels.h"
#include "Clones.h"
#include "Words.h"

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

// The number of bytes from a place on, up to 16, that are spaces, or that are none.
static inline __attribute__((always_inline)) size_t run_length(const uint8_t *text, size_t count, bool of_spaces) {
  if (count >= 16) {
    bytes16 x;
    memcpy(&x, text, sizeof(x));
    bits16 bits = __builtin_convertvector(x == ' ', bits16);
    uint16_t mask;
    memcpy(&mask, &bits, sizeof(mask));
    return (size_t)__builtin_ctz((of_spaces ? (uint16_t)~mask : mask) | 1u << 16);
  }
  size_t length = 0;
  while (length < count && (text[length] == ' ') == of_spaces) length++;
  return length;
}

KIST_CLONES size_t kist_copy_with_spaces(
    const uint8_t *text, size_t count, const uint8_t *space, size_t space_count, bool joins_spaces, bool *follows_space,
    uint8_t *output) {
  uint8_t *to = output;
  bool follows = *follows_space;
  size_t place = 0;
  while (place < count) {
    size_t rest = count - place, length = run_length(text + place, rest, false);
    // Sixteen bytes at once: those behind the last are written over.
    if (rest >= 16) memcpy(to, text + place, 16); else memcpy(to, text + place, length);
    to += length;
    place += length;
    if (length > 0) follows = false;
    if (place == count || text[place] != ' ') continue;
    // Most spaces are alone.
    size_t spaces = 1;
    if (place + 1 < count && text[place + 1] == ' ') spaces += run_length(text + place + 1, count - place - 1, true);
    place += spaces;
    if (joins_spaces) spaces = follows ? 0 : 1;
    for (; spaces > 0; spaces--, to += space_count) {
      if (space_count == 3) memcpy(to, space, 3); else memcpy(to, space, space_count);
    }
    follows = true;
  }
  *follows_space = follows;
  return (size_t)(to - output);
}

// A unit of the double array: bits 0 to 7 and 31 the label, 8 whether a key ends, 9 a wider offset, 10 up the offset.
static inline size_t offset_of(uint32_t unit) { return (size_t)(unit >> 10) << ((unit & 1u << 9) >> 6); }

// Whether a key stands at a place.
static inline bool has_key(const uint8_t *text, size_t count, size_t place, const uint32_t *units, size_t unit_count) {
  size_t node = offset_of(units[0]);
  for (; place < count; place++) {
    size_t child = node ^ text[place];
    if (child >= unit_count || (units[child] & 0x800000FF) != text[place]) return false;
    if (units[child] >> 8 & 1) return true;
    node = child ^ offset_of(units[child]);
  }
  return false;
}

KIST_CLONES size_t kist_plain_end(
    const uint8_t *text, size_t count, size_t start, const uint32_t *units, size_t unit_count, uint64_t plain_low,
    uint64_t plain_high, const uint64_t *beginnings) {
  // Nearly every map leaves the visible characters of ASCII alone.
  bool is_usual = plain_low >> 32 == 0xFFFFFFFF && plain_high << 1 == (uint64_t)-2;
  size_t place = start;
  while (place < count) {
    if (is_usual && text[place] < 0x80 && count - place > 64) {
      bytes64 x;
      memcpy(&x, text + place, sizeof(x));
      bits64 bits = __builtin_convertvector((bytes64)(x - 0x20) >= 0x5F, bits64);
      uint64_t others;
      memcpy(&others, &bits, sizeof(others));
      // What follows the last is not known.
      size_t length = others ? (size_t)__builtin_ctzll(others) : 64;
      if (length > 1) {
        place += length - 1;
        continue;
      }
    }
    uint8_t byte = text[place];
    bool is_lone = byte < 0x80 && (place + 1 == count || text[place + 1] < 0x80);
    if (is_lone && (byte < 64 ? plain_low : plain_high) >> (byte & 63) & 1) {
      place++;
      continue;
    }
    bool may_begin_key = byte < 0xC0 || place + 1 == count || begins_key(beginnings, text + place);
    if (may_begin_key && has_key(text, count, place, units, unit_count)) return place;
    place += byte < 0xC0 ? 1 : character_length(byte);
  }
  return count;
}

const void *kist_find_byte(const void *bytes, uint8_t byte, size_t count) { return memchr(bytes, byte, count); }
