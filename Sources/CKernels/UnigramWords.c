#include "CKernels.h"
#include "PieceSlots.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// The ids of words that a Unigram model met before, added up as SentencePiece adds scores: f32, from the beginning of the text on.
// Sources/KistTokenizers/Models/UnigramModel+Words.swift says what lies in the cache, and is the plain twin. Each of the three loops over a
// block of words asks for the memory that the next one needs.

enum { longest_word = 48 };

// What a slot has beside ids: UnigramModel+Words.swift, WordList.
enum { list_of_ids, list_of_ways, list_of_ways_with_unknown, unknown_character };

static inline float score_of(const kist_unigram *model, uint32_t id) {
  if (id >= model->score_count) return 0;
  double score;
  memcpy(&score, (const uint8_t *)model->scores + 8 * (size_t)id, sizeof(score));
  return (float)score;
}

// How far a text is encoded.
typedef struct {
  uint32_t *to, *end;
  float sum;
  bool follows_unknown;
} progress;

// The first slot whose hash and length are those of a longer piece; its bytes are still to be compared.
static inline const kist_piece_slot *long_candidate(piece_key key, const kist_piece_slot *slots, uint64_t mask) {
  for (int distance = 0; distance < longest_probe; distance++) {
    const kist_piece_slot *slot = slots + ((key.place + (uint64_t)distance) & mask);
    if (slot->high == 0) return NULL;
    if (slot->low == key.low && (slot->high ^ key.high) >> 32 == 0) return slot;
  }
  return NULL;
}

// Writes ids of known pieces.
static inline void append(const uint32_t *ids, size_t count, const kist_unigram *model, progress *at) {
  memcpy(at->to, ids, count * sizeof(*ids));
  for (size_t i = 0; i < count; i++) at->sum = score_of(model, ids[i]) + at->sum;
  at->to += count;
  at->follows_unknown = false;
}

// Writes what an unknown character becomes: a token for each byte, or one for all unknown characters in a row.
static inline void append_unknown(const uint8_t *bytes, size_t count, const kist_unigram *model, progress *at) {
  if (model->byte_ids) {
    for (size_t i = 0; i < count; i++) *at->to++ = model->byte_ids[bytes[i]];
  } else if (!at->follows_unknown) {
    *at->to++ = model->unknown;
  }
  at->follows_unknown = true;
}

// Writes the ids of the best way through a word of `length` bytes, at most one a byte.
static void append_best(
    const uint32_t *pieces, size_t piece_count, const uint8_t *word, size_t length, const kist_unigram *model, progress *at) {
  float sums[longest_word + 1];
  uint32_t last[longest_word + 1];
  // Where the last piece begins; nowhere as long as nothing leads here.
  enum { nowhere = 0xFF };
  uint8_t from[longest_word + 1], places[longest_word];
  memset(from, nowhere, sizeof(from));
  sums[0] = at->sum;
  for (size_t i = 0; i < piece_count; i++) {
    uint32_t start = pieces[2 * i] & 0xFF, end = pieces[2 * i] >> 8, id = pieces[2 * i + 1];
    if (end > length || start >= end) continue;
    float candidate = (id == model->unknown ? model->unknown_score : score_of(model, id)) + sums[start];
    // Of equal ones the first stands.
    if (from[end] != nowhere && !(candidate > sums[end])) continue;
    sums[end] = candidate;
    last[end] = id;
    from[end] = (uint8_t)start;
  }
  size_t count = 0;
  for (size_t place = length; place > 0 && from[place] != nowhere; place = from[place]) places[count++] = (uint8_t)place;
  while (count > 0) {
    size_t end = places[--count], start = from[end];
    if (last[end] == model->unknown) {
      append_unknown(word + start, end - start, model, at);
    } else {
      *at->to++ = last[end];
      at->follows_unknown = false;
    }
  }
  at->sum = sums[length];
}

// Writes the ids of a slot's word; false, with nothing written, when they hang on more than is known here.
static inline bool append_word(
    const kist_piece_slot *slot, const uint8_t *word, size_t length, const kist_piece_cache *cache,
    const kist_unigram *model, progress *at) {
  size_t own = slot->ids[0] >> count_shift, room = (size_t)(at->end - at->to);
  bool is_settled = fabsf(at->sum) < model->settled_limit;
  if (own != 0) {
    if (room < own || !is_settled) return false;
    uint32_t ids[4];
    memcpy(ids, slot->ids, sizeof(ids));
    ids[0] &= (1u << count_shift) - 1;
    append(ids, own, model, at);
    return true;
  }
  uint32_t kind = slot->ids[3];
  if (kind == unknown_character) {
    if (room < length || !is_settled) return false;
    at->sum += model->unknown_score;
    append_unknown(word, length, model, at);
    return true;
  }
  size_t first = slot->ids[1], many = slot->ids[2];
  if (first > cache->list_count || many > cache->list_count - first || many == 0) return false;
  const uint32_t *list = cache->lists + first;
  if (kind == list_of_ids) {
    if (room < many || !is_settled) return false;
    append(list, many, model, at);
    return true;
  }
  if (room < length || (kind == list_of_ways_with_unknown && !model->takes_unknown)) return false;
  float own_limit;
  memcpy(&own_limit, list, sizeof(own_limit));
  if (!(fabsf(at->sum) < own_limit)) return false;
  append_best(list + 1, (many - 1) / 2, word, length, model, at);
  return true;
}

size_t kist_unigram_words(
    const uint8_t *text, size_t count, const size_t *bounds, size_t word_count, const kist_piece_cache *cache,
    const kist_unigram *model, float *sum, bool *follows_unknown, uint32_t *ids, size_t capacity, size_t *id_count) {
  const uint64_t mask = cache->slot_count - 1;
  const kist_piece_slot *slots = cache->slots;
  const long_pieces pieces = {cache->long_bytes, cache->long_byte_count};
  piece_key keys[block];
  const kist_piece_slot *found_slots[block];
  size_t found = 0, size = first_block;
  progress at = {ids, ids + capacity, *sum, *follows_unknown};
  bool goes_on = true;
  while (goes_on && found < word_count) {
    size_t ready = 0;
    for (; ready < size && found + ready < word_count; ready++) {
      size_t start = bounds[found + ready], end = bounds[found + ready + 1];
      // An end before its start wraps around.
      size_t length = end - start;
      // A key is read from 16 bytes, however short the word is.
      if (length - 1 >= longest_word || end > count || count - end < 16) break;
      keys[ready] = length <= longest_key ? key_of(text + start, length, 0, mask) : long_key_of(text + start, length, mask);
      __builtin_prefetch(slots + keys[ready].place);
    }
    for (size_t i = 0; i < ready; i++) {
      bool has_bytes = is_long(keys[i]);
      const kist_piece_slot *slot = has_bytes ? long_candidate(keys[i], slots, mask) : slot_of(keys[i], slots, mask);
      found_slots[i] = slot;
      if (!slot) continue;
      if (has_bytes && (uint32_t)slot->high < pieces.count) __builtin_prefetch(pieces.bytes + (uint32_t)slot->high);
      if (slot->ids[0] >> count_shift == 0 && slot->ids[1] < cache->list_count) {
        __builtin_prefetch(cache->lists + slot->ids[1]);
      }
    }
    // Fewer where a key can't be made.
    goes_on = ready == size;
    for (size_t i = 0; i < ready; i++, found++) {
      const kist_piece_slot *slot = found_slots[i];
      size_t start = bounds[found], length = bounds[found + 1] - start;
      if (slot && is_long(keys[i])) {
        size_t place = (uint32_t)slot->high;
        bool is_same = place <= pieces.count && length <= pieces.count - place &&
            memcmp(pieces.bytes + place, text + start, length) == 0;
        if (!is_same) slot = long_slot_of(keys[i], text + start, slots, mask, pieces);
      }
      if (!slot || !append_word(slot, text + start, length, cache, model, &at)) {
        goes_on = false;
        break;
      }
    }
    size = size < block ? 2 * size : block;
  }
  *id_count = (size_t)(at.to - ids);
  *sum = at.sum;
  *follows_unknown = at.follows_unknown;
  return found;
}
