// Slots of the cache of pieces (Sources/KistTokenizers/Models/BPE/PieceCache.swift): how a key is made, and where it stands.

#ifndef KIST_PIECE_SLOTS_H
#define KIST_PIECE_SLOTS_H

#include "CKernels.h"
#include "Words.h"

#include <string.h>

enum { first_block = 4, block = 32, longest_key = 15, longest_piece = 1024, longest_probe = 8, count_shift = 28 };

static const uint32_t long_mark = 0xFF000000;

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

// See kist_is_met_again in CKernels.h, which is this.
static inline bool is_met_again(uint16_t *marks, uint64_t hash) {
  uint16_t *mark = marks + (hash >> 16 & (kist_mark_count - 1));
  bool is_met = *mark == (uint16_t)hash;
  *mark = (uint16_t)hash;
  return is_met;
}

static inline uint64_t hash_of(const uint8_t *bytes, size_t count) {
  uint64_t hash = count * 0x9E3779B97F4A7C15;
  size_t offset = 0;
  for (; offset + 8 <= count; offset += 8) hash = fold(hash ^ load(bytes + offset));
  if (offset < count) hash = fold(hash ^ load(bytes + count - 8) >> (64 - 8 * (count & 7)));
  return hash;
}

// The key of a longer piece: its hash, and in the upper half of the other word a mark and its length. A slot has a place in the lower half,
// never the one here: no slot is found by such a key alone.
static inline piece_key long_key_of(const uint8_t *piece, size_t count, uint64_t mask) {
  uint64_t hash = hash_of(piece, count);
  return (piece_key){hash, (uint64_t)(long_mark | count) << 32 | 0xFFFFFFFF, hash & mask};
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

#endif
