#include "CKernels.h"
#include "Clones.h"

#include <string.h>

// Pieces of ASCII text, 64 bytes at a time: one bit a byte for each class, and from those, by a few operations on whole words, a bit where
// each piece begins. A batch always begins where a piece does, so nothing is carried from one to the next. What a batch can't tell (bytes
// beyond ASCII, white space whose end it does not see) is left to the plain scanner. Learned from gigatoken, `src/pretokenize/fast/mask.rs`.

typedef uint8_t bytes64 __attribute__((vector_size(64)));
typedef bool bits64 __attribute__((ext_vector_type(64)));

#define INLINE static inline __attribute__((always_inline))

// Contractions look two bytes beyond their apostrophe.
enum { batch = 64, look_ahead = 2 };

typedef struct {
  uint64_t letters, uppers, digits, spaces, whites, newlines, slashes, apostrophes, others;
  // Places whose class is known: those before the first byte beyond ASCII.
  int known;
} classes;

#define MASK(CONDITION) \
  ({ \
    bits64 bits = __builtin_convertvector((CONDITION), bits64); \
    uint64_t mask; \
    memcpy(&mask, &bits, sizeof(mask)); \
    mask; \
  })

INLINE classes classify(const uint8_t *text) {
  bytes64 x;
  memcpy(&x, text, sizeof(x));
  classes c;
  c.letters = MASK((bytes64)((x | 0x20) - 'a') < 26);
  c.uppers = MASK((bytes64)(x - 'A') < 26);
  c.digits = MASK((bytes64)(x - '0') < 10);
  c.spaces = MASK(x == ' ');
  c.newlines = MASK((x == '\n') | (x == '\r'));
  c.whites = c.spaces | MASK((bytes64)(x - '\t') < 5);
  c.slashes = MASK(x == '/');
  c.apostrophes = MASK(x == '\'');
  c.others = ~(c.letters | c.digits | c.whites);
  uint64_t beyond = MASK(x >= 0x80);
  c.known = beyond ? __builtin_ctzll(beyond) : batch;
  return c;
}

// The bits below a place of 0 to 64.
INLINE uint64_t below(int place) { return place >= 64 ? ~0ull : (1ull << place) - 1; }

// The places where it is known whether a piece begins: of white space that may go on, the first alone.
INLINE uint64_t decided(const classes *c) {
  if (c->known == 0) return 0;
  uint64_t rest = ~c->whites << (batch - c->known);
  int trailing = rest ? __builtin_clzll(rest) : c->known;
  if (trailing == 0) return below(c->known);
  return below(c->known - trailing + 1);
}

// 's, 't, 're, 've, 'm, 'll, 'd at an apostrophe: the length, or 0. `fold` is 0x20 where case does not count.
INLINE int contraction(const uint8_t *text, uint8_t fold) {
  uint8_t first = text[1] | fold, second = text[2] | fold;
  switch (first) {
    case 's': case 't': case 'm': case 'd': return 2;
    case 'r': case 'v': return second == 'e' ? 3 : 0;
    case 'l': return second == 'l' ? 3 : 0;
    default: return 0;
  }
}

typedef struct {
  uint64_t starts, decided;
} boundaries;

// A piece ends behind a contraction, be it within letters.
INLINE void end_contraction(boundaries *b, int place, int length) {
  int end = place + length;
  if (end < batch) {
    b->starts = (b->starts & ~(below(end) & ~below(place + 1))) | 1ull << end;
  } else {
    b->decided &= below(place + 1);
  }
}

// Contractions that are pieces of their own.
INLINE void cut_contractions(boundaries *b, uint64_t candidates, const uint8_t *text, uint8_t fold) {
  for (candidates &= b->decided; candidates; candidates &= candidates - 1) {
    int place = __builtin_ctzll(candidates);
    int length = contraction(text + place, fold);
    if (length) end_contraction(b, place, length);
  }
}

// Contractions that end a word.
INLINE void join_contractions(boundaries *b, uint64_t candidates, const uint8_t *text) {
  int last_end = 0;
  for (candidates &= b->decided; candidates; candidates &= candidates - 1) {
    int place = __builtin_ctzll(candidates);
    if (text[place + 1] >= 0x80) {
      // It may be ſ.
      b->decided &= below(place);
      return;
    }
    int length = place == last_end ? 0 : contraction(text + place, 0x20);
    if (!length) continue;
    last_end = place + length;
    end_contraction(b, place, length);
    // Where the end is not in this batch, neither is known what stands here.
    if (last_end < batch) b->starts &= ~(1ull << place); else b->decided &= below(place);
  }
}

// '(?:[sdmt]|ll|ve|re)| ?L+| ?N+| ?[^\sLN]+|\s+(?!\S)|\s+
INLINE boundaries gpt2_starts(const uint8_t *text) {
  classes c = classify(text);
  uint64_t runs = (c.letters & ~(c.letters << 1)) | (c.digits & ~(c.digits << 1)) | (c.others & ~(c.others << 1));
  boundaries b;
  b.starts = (runs & ~(c.spaces << 1)) | (c.whites & ~(c.whites << 1)) | (c.whites & ~(c.whites >> 1));
  b.decided = decided(&c);
  cut_contractions(&b, (b.starts | 1) & c.apostrophes, text, 0);
  return b;
}

// White space as \s*[\r\n]+|\s+(?!\S)|\s+ cuts it. `taken` are newlines that belong to the symbols before them.
INLINE uint64_t white_starts(const classes *c, uint64_t taken) {
  uint64_t whites = c->whites & ~taken, blanks = c->whites & ~c->newlines;
  // What follows the last newline is a piece; what stands between newlines belongs to them.
  uint64_t behind = blanks & ~(blanks << 1) & (c->newlines << 1);
  for (uint64_t inner = blanks & (c->newlines >> 1); inner && behind; inner &= inner - 1) {
    uint64_t to_here = below(__builtin_ctzll(inner) + 1), before = ~blanks & to_here;
    behind &= ~(before ? to_here & ~below(64 - __builtin_clzll(before)) : to_here);
  }
  return (whites & ~(whites << 1)) | behind | (blanks & ~(c->whites >> 1));
}

// N{1,3}
INLINE uint64_t digit_starts(uint64_t digits, bool single) {
  if (single) return digits;
  uint64_t starts = digits & ~(digits << 1), inside = digits & (digits << 1) & (digits << 2);
  for (uint64_t next = (starts << 3) & inside; next; next = (next << 3) & inside) starts |= next;
  return starts;
}

// 's…|[^\r\nLN]?L+|N{1,3}| ?[^\sLN]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
INLINE boundaries word_starts(const uint8_t *text, bool single_digits) {
  classes c = classify(text);
  uint64_t taken_first = (c.others << 1) & c.newlines;
  uint64_t taken = c.newlines & ~(c.newlines + taken_first);
  uint64_t symbols = c.others & ~(c.others << 1) & ~(c.spaces << 1);
  uint64_t before_word = symbols | (c.whites & ~c.newlines);
  uint64_t words = c.letters & ~(c.letters << 1) & ~(before_word << 1);
  boundaries b;
  b.starts = symbols | words | digit_starts(c.digits, single_digits) | white_starts(&c, taken);
  b.decided = decided(&c);
  cut_contractions(&b, symbols & c.apostrophes, text, 0x20);
  return b;
}

// The same with words that end where a small letter meets a capital, contractions as their ends, and [\r\n/]* behind symbols.
INLINE boundaries cased_starts(const uint8_t *text, bool single_digits, bool contractions) {
  classes c = classify(text);
  uint64_t takeable = c.newlines | c.slashes;
  uint64_t taken_first = (c.others << 1) & c.newlines;
  uint64_t taken = (takeable & ~(takeable + taken_first)) | taken_first;
  uint64_t others = c.others & ~taken;
  uint64_t symbols = others & ~(others << 1) & ~(c.spaces << 1);
  uint64_t before_word = symbols | (c.whites & ~c.newlines);
  uint64_t words = (c.letters & ~(c.letters << 1) & ~(before_word << 1)) | (c.uppers & ((c.letters & ~c.uppers) << 1));
  boundaries b;
  b.starts = symbols | words | digit_starts(c.digits, single_digits) | white_starts(&c, taken);
  b.decided = decided(&c);
  if (contractions) join_contractions(&b, c.apostrophes & (c.letters << 1), text);
  return b;
}

// Writes the places of bits, each beyond `start`. Eight at a time, of which the last may be none: fewer branches that can't be foreseen.
INLINE size_t write_places(uint64_t bits, size_t start, size_t *ends) {
  size_t count = (size_t)__builtin_popcountll(bits);
  for (size_t i = 0; i < count; i += 8) {
    for (size_t k = 0; k < 8; k++) {
      ends[i + k] = start + (size_t)__builtin_ctzll(bits | 1ull << 63);
      bits &= bits - 1;
    }
  }
  return count;
}

#define WALK(STARTS) \
  size_t place = *start, written = 0; \
  while (place + batch + look_ahead <= count && written + batch <= capacity) { \
    boundaries b = STARTS; \
    uint64_t starts = b.starts & b.decided & ~1ull; \
    if (!starts) break; \
    written += write_places(starts, place, ends + written); \
    /* From the bits, not from what is written: the next batch can begin before that is done. */ \
    place += (size_t)(batch - 1 - __builtin_clzll(starts)); \
  } \
  *start = place; \
  return written

KIST_CLONES size_t kist_gpt2_ends(
    const uint8_t *text, size_t count, size_t *start, size_t *ends, size_t capacity) {
  WALK(gpt2_starts(text + place));
}

KIST_CLONES size_t kist_word_ends(
    const uint8_t *text, size_t count, bool single_digits, size_t *start, size_t *ends, size_t capacity) {
  WALK(word_starts(text + place, single_digits));
}

KIST_CLONES size_t kist_cased_ends(
    const uint8_t *text, size_t count, bool single_digits, bool contractions, size_t *start, size_t *ends,
    size_t capacity) {
  WALK(cased_starts(text + place, single_digits, contractions));
}
