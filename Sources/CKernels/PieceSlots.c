#include "CKernels.h"
#include "Clones.h"
#include "PieceSlots.h"

// Looking pieces up in the cache of short ones (Sources/KistTokenizers/Models/BPE/PieceCache.swift): keys and places of a few dozen pieces
// first, so that what they need from memory is on its way, then their ids. Where a piece was not found, others are often near that are not
// either, and what is prepared for those behind them is prepared again: so the first blocks are short.

typedef uint32_t ids4 __attribute__((vector_size(16)));

// The slot of a piece that does not stand at the first place.
static __attribute__((noinline)) const kist_piece_slot *other_slot_of(
    const piece_key *key, const uint8_t *piece, const kist_piece_slot *slots, uint64_t mask, long_pieces pieces) {
  return is_long(*key) ? long_slot_of(*key, piece, slots, mask, pieces) : slot_of(*key, slots, mask);
}

KIST_CLONES size_t kist_find_pieces(
    const uint8_t *text, size_t count, const size_t *starts, const size_t *ends, size_t stride, size_t piece_count,
    uint64_t tag, const kist_piece_slot *slots, size_t slot_count, const uint8_t *long_bytes, size_t long_byte_count,
    const uint32_t *long_ids, size_t long_count, uint32_t *ids, size_t capacity, size_t *id_count) {
  const uint64_t mask = slot_count - 1;
  const long_pieces pieces = {long_bytes, long_byte_count};
  // A key is read from 16 bytes, however short the piece is.
  const size_t last_end = count < 16 ? 0 : count - 16;
  piece_key keys[block];
  size_t found = 0, size = first_block;
  uint32_t *to = ids, *limit = ids + capacity;
  while (found < piece_count) {
    size_t wanted = piece_count - found < size ? piece_count - found : size, ready = 0;
    const size_t *start = starts + found * stride, *end = ends + found * stride;
    for (; ready < wanted; ready++, start += stride, end += stride) {
      // An end before its start wraps around.
      size_t length = *end - *start;
      if (__builtin_expect(length - 1 < longest_key, 1)) {
        if (*end > last_end) break;
        keys[ready] = key_of(text + *start, length, tag, mask);
      } else {
        // Keys of longer pieces have no tag.
        if (length - 1 >= longest_piece || *end > count || tag != 0) break;
        keys[ready] = long_key_of(text + *start, length, mask);
      }
      __builtin_prefetch(slots + keys[ready].place);
    }
    for (size_t i = 0; i < ready; i++) {
      const kist_piece_slot *slot = slots + keys[i].place;
      if (__builtin_expect(slot->low != keys[i].low || slot->high != keys[i].high, 0)) {
        slot = other_slot_of(keys + i, text + starts[(found + i) * stride], slots, mask, pieces);
      }
      size_t own = slot ? slot->ids[0] >> count_shift : 0;
      if (__builtin_expect(own != 0 && limit - to >= 4, 1)) {
        // All four at once: those behind the last are written over.
        ids4 found_ids;
        memcpy(&found_ids, slot->ids, sizeof(found_ids));
        found_ids &= (ids4){(1u << count_shift) - 1, ~0u, ~0u, ~0u};
        memcpy(to, &found_ids, sizeof(found_ids));
        to += own;
        continue;
      }
      // More ids than a slot has room for lie elsewhere.
      size_t first = slot ? slot->ids[1] : 0, many = slot && own == 0 ? slot->ids[2] : 0, room = (size_t)(limit - to);
      if (many == 0 || many > room || first > long_count || many > long_count - first) {
        *id_count = (size_t)(to - ids);
        return found + i;
      }
      memcpy(to, long_ids + first, many * sizeof(*to));
      to += many;
    }
    found += ready;
    if (ready < wanted) break;
    size = size < block ? 2 * size : block;
  }
  *id_count = (size_t)(to - ids);
  return found;
}

bool kist_is_met_again(uint16_t *marks, uint64_t hash) { return is_met_again(marks, hash); }
