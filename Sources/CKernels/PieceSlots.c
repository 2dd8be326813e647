#include "CKernels.h"
#include "Clones.h"
#include "Words.h"

#include <string.h>

// Looking pieces up in the cache of short ones (Sources/KistTokenizers/Models/BPE/PieceCache.swift): keys and places of a few dozen pieces
// first, so that what they need from memory is on its way, then their ids. Where a piece was not found, others are often near that are not
// either, and what is prepared for those behind them is prepared again: so the first blocks are short.

enum { first_block = 4, block = 32, longest_key = 15, longest_piece = 1024, longest_probe = 8, count_shift = 28 };

static const uint32_t long_mark = 0xFF000000;

typedef uint32_t ids4 __attribute__((vector_size(16)));

typedef struct {
  uint64_t low, high, place;
} piece_key;

// By byte count: which bytes of 16 are a piece's.
#define KEPT(COUNT) \
  { COUNT >= 8 ? ~0ull : (1ull << (8 * COUNT & 63)) - 1, COUNT > 8 ? (1ull << (8 * COUNT & 63)) - 1 : 0 }

static const uint64_t kept[16][2] = {
    KEPT(0), KEPT(1), KEPT(2),  KEPT(3),  KEPT(4),  KEPT(5),  KEPT(6),  KEPT(7),
    KEPT(8), KEPT(9), KEPT(10), KEPT(11), KEPT(12), KEPT(13), KEPT(14), KEPT(15),
};

static inline piece_key key_of(const uint8_t *piece, size_t count, uint64_t tag, uint64_t mask) {
  piece_key key;
  key.low = load(piece) & kept[count][0];
  key.high = (load(piece + 8) & kept[count][1]) | (uint64_t)count << 56 | tag;
  unsigned __int128 product = (unsigned __int128)(key.low ^ 0x9E3779B97F4A7C15) * (key.high ^ 0xD6E8FEB86659FD93);
  key.place = ((uint64_t)(product >> 64) ^ (uint64_t)product) & mask;
  return key;
}

// As TokenHash in VocabularyTable.swift, for 8 bytes or more.
static inline uint64_t fold(uint64_t word) {
  unsigned __int128 product = (unsigned __int128)word * 0x9E3779B97F4A7C15;
  return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static inline uint64_t hash_of(const uint8_t *bytes, size_t count) {
  uint64_t hash = count * 0x9E3779B97F4A7C15;
  size_t offset = 0;
  for (; offset + 8 <= count; offset += 8) hash = fold(hash ^ load(bytes + offset));
  if (offset < count) hash = fold(hash ^ load(bytes + count - 8) >> (64 - 8 * (count & 7)));
  return hash;
}

// The key of a longer piece: its hash, and in the upper half of the other word a mark and its length.
static inline piece_key long_key_of(const uint8_t *piece, size_t count, uint64_t mask) {
  uint64_t hash = hash_of(piece, count);
  return (piece_key){hash, (uint64_t)(long_mark | count) << 32, hash & mask};
}

// The bytes of pieces that are too long for a key, one after the other.
typedef struct {
  const uint8_t *bytes;
  size_t count;
} long_pieces;

static inline bool is_long(piece_key key) { return key.high >> 56 == long_mark >> 24; }

static __attribute__((noinline)) const kist_piece_slot *long_slot_of(
    piece_key key, const uint8_t *piece, const kist_piece_slot *slots, uint64_t mask, long_pieces pieces) {
  size_t count = (size_t)(key.high >> 32 & ~long_mark);
  for (int distance = 0; distance < longest_probe; distance++) {
    const kist_piece_slot *slot = slots + ((key.place + (uint64_t)distance) & mask);
    if (slot->high == 0) return NULL;
    size_t start = (uint32_t)slot->high;
    if (slot->low != key.low || (slot->high ^ key.high) >> 32 != 0) continue;
    if (start > pieces.count || count > pieces.count - start) continue;
    if (memcmp(pieces.bytes + start, piece, count) == 0) return slot;
  }
  return NULL;
}

static inline __attribute__((always_inline)) const kist_piece_slot *slot_of(
    piece_key key, const kist_piece_slot *slots, uint64_t mask) {
  for (int distance = 0; distance < longest_probe; distance++) {
    const kist_piece_slot *slot = slots + ((key.place + (uint64_t)distance) & mask);
    if (slot->low == key.low && slot->high == key.high) return slot;
    if (slot->high == 0) return NULL;
  }
  return NULL;
}

KIST_CLONES size_t kist_find_pieces(
    const uint8_t *text, size_t count, const size_t *starts, const size_t *ends, size_t stride, size_t piece_count,
    uint64_t tag, const kist_piece_slot *slots, size_t slot_count, const uint8_t *long_bytes, size_t long_byte_count,
    const uint32_t *long_ids, size_t long_count, uint32_t *ids, size_t capacity, size_t *id_count) {
  const uint64_t mask = slot_count - 1;
  const long_pieces pieces = {long_bytes, long_byte_count};
  piece_key keys[block];
  size_t found = 0, size = first_block;
  uint32_t *to = ids, *limit = ids + capacity;
  while (found < piece_count) {
    size_t ready = 0;
    for (; ready < size && found + ready < piece_count; ready++) {
      size_t start = starts[(found + ready) * stride], end = ends[(found + ready) * stride];
      // An end before its start wraps around.
      size_t length = end - start;
      if (length - 1 >= longest_piece || end > count) break;
      if (length <= longest_key) {
        // A key is read from 16 bytes, however short the piece is.
        if (count - end < 16) break;
        keys[ready] = key_of(text + start, length, tag, mask);
      } else {
        // Keys of longer pieces have no tag.
        if (tag != 0) break;
        keys[ready] = long_key_of(text + start, length, mask);
      }
      __builtin_prefetch(slots + keys[ready].place);
    }
    for (size_t i = 0; i < ready; i++) {
      const kist_piece_slot *slot = __builtin_expect(is_long(keys[i]), 0)
          ? long_slot_of(keys[i], text + starts[(found + i) * stride], slots, mask, pieces)
          : slot_of(keys[i], slots, mask);
      size_t own = slot ? slot->ids[0] >> count_shift : 0, room = (size_t)(limit - to);
      if (own != 0 && room >= 4) {
        // All four at once: those behind the last are written over.
        ids4 found_ids;
        memcpy(&found_ids, slot->ids, sizeof(found_ids));
        found_ids &= (ids4){(1u << count_shift) - 1, ~0u, ~0u, ~0u};
        memcpy(to, &found_ids, sizeof(found_ids));
        to += own;
        continue;
      }
      // More ids than a slot has room for lie elsewhere.
      size_t first = slot ? slot->ids[1] : 0, many = slot && own == 0 ? slot->ids[2] : 0;
      if (many == 0 || many > room || first > long_count || many > long_count - first) {
        *id_count = (size_t)(to - ids);
        return found + i;
      }
      memcpy(to, long_ids + first, many * sizeof(*to));
      to += many;
    }
    found += ready;
    if (ready < size) break;
    size = size < block ? 2 * size : block;
  }
  *id_count = (size_t)(to - ids);
  return found;
}
