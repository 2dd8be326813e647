#include "CKernels.h"
#include "Clones.h"
#include "PieceSlots.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

// The ids of the words of a Unigram model, added up as SentencePiece adds scores: f32, from the beginning of the text on. Of words that came
// before they lie in a cache; Sources/KistTokenizers/Models/UnigramModel+Words.swift says how, and is the plain twin. Others are searched:
// UnigramSearch.swift. Each of the three loops over a block of words asks for the memory that the next one needs.

enum { longest_word = 48 };

// What a slot has beside ids: UnigramModel+Words.swift, WordList.
enum { list_of_ids, list_of_ways, list_of_ways_with_unknown, unknown_character };

static inline float score_of(const kist_unigram *model, uint32_t id) {
  if (id >= model->score_count) return 0;
  double score;
  memcpy(&score, (const uint8_t *)model->scores + 8 * (size_t)id, sizeof(score));
  return (float)score;
}

static inline uint64_t hash_of_key(piece_key key) { return fold(key.low ^ fold(key.high)); }

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
  // Most words are few pieces: vectors are not worth their beginning.
#pragma clang loop vectorize(disable) unroll(disable)
  for (size_t i = 0; i < count; i++) {
    at->to[i] = ids[i];
    at->sum = score_of(model, ids[i]) + at->sum;
  }
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

// The best ways to the places of a word: their sums, the last pieces, and where those begin.
typedef struct {
  float sums[longest_word + 1];
  uint32_t last[longest_word + 1];
  uint8_t from[longest_word + 1];
} ways;

// Where the last piece begins of a place that nothing leads to.
enum { nowhere = 0xFF };

static inline void begin(ways *w, size_t length, float sum) {
  memset(w->from, nowhere, length + 1);
  w->sums[0] = sum;
}

static inline void offer(ways *w, size_t start, size_t end, uint32_t id, float score) {
  float candidate = score + w->sums[start];
  // Of equal ones the first stands.
  if (w->from[end] != nowhere && !(candidate > w->sums[end])) return;
  w->sums[end] = candidate;
  w->last[end] = id;
  w->from[end] = (uint8_t)start;
}

// Writes the ids of the best way to the end of a word of `length` bytes, at most one a byte.
static inline void append_way(const ways *w, const uint8_t *word, size_t length, const kist_unigram *model, progress *at) {
  uint8_t places[longest_word];
  size_t count = 0;
  for (size_t place = length; place > 0 && w->from[place] != nowhere; place = w->from[place]) {
    places[count++] = (uint8_t)place;
  }
  while (count > 0) {
    size_t end = places[--count], start = w->from[end];
    if (w->last[end] == model->unknown) {
      append_unknown(word + start, end - start, model, at);
    } else {
      *at->to++ = w->last[end];
      at->follows_unknown = false;
    }
  }
  at->sum = w->sums[length];
}

// Writes the ids of the best of the ways that are known of a word.
static void append_best(
    const uint32_t *pieces, size_t piece_count, const uint8_t *word, size_t length, const kist_unigram *model, progress *at) {
  ways w;
  begin(&w, length, at->sum);
  for (size_t i = 0; i < piece_count; i++) {
    uint32_t start = pieces[2 * i] & 0xFF, end = pieces[2 * i] >> 8, id = pieces[2 * i + 1];
    if (end > length || start >= end) continue;
    offer(&w, start, end, id, id == model->unknown ? model->unknown_score : score_of(model, id));
  }
  append_way(&w, word, length, model, at);
}

// Offers all pieces that begin at a place, and the character there when it is none of them; gives where it ends.
static inline size_t offer_all(ways *w, const uint8_t *word, size_t length, size_t place, const kist_unigram *model) {
  size_t character = word[place] < 0xC0 ? 1 : character_length(word[place]), next = place + character;
  if (next > length) next = length;
  bool is_known = false;
  uint64_t unit = load(model->units);
  for (size_t end = place; end < length;) {
    // A unit: its children's base, then whether it is there, its byte, and the id of the piece that ends here plus one.
    uint64_t child = unit >> 41 ^ word[end];
    if (child >= model->unit_count) break;
    unit = load((const uint8_t *)model->units + 8 * child);
    if ((unit >> 32 & 0x1FF) != (0x100 | word[end])) break;
    end++;
    if ((uint32_t)unit == 0) continue;
    offer(w, place, end, (uint32_t)unit - 1, score_of(model, (uint32_t)unit - 1));
    if (end == next) is_known = true;
  }
  if (!is_known) offer(w, place, next, model->unknown, model->unknown_score);
  return next;
}

// Writes the ids of a word as the library finds them; false, with nothing written, where it may start its sums over.
static bool append_searched(const uint8_t *word, size_t length, const kist_unigram *model, progress *at) {
  if (!model->takes_unknown || model->unit_count == 0 || (size_t)(at->end - at->to) < length) return false;
  ways w;
  begin(&w, length, at->sum);
  for (size_t place = 0; place < length; place = offer_all(&w, word, length, place, model)) {
    if (!(fabsf(w.sums[place]) < model->settled_limit)) return false;
  }
  append_way(&w, word, length, model, at);
  return true;
}

// Writes the ids of a slot's word; false, with nothing written, when they hang on more than is known here.
static inline __attribute__((always_inline)) bool append_word(
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

// Whether a word is one character that no piece begins with, as most are in a script that the vocabulary lacks.
static inline bool is_lone_unknown(const uint8_t *word, size_t length, const kist_unigram *model) {
  return length <= 4 && word[0] >= 0xC0 && length == character_length(word[0]) && model->beginnings &&
      !begins_key(model->beginnings, word);
}

// Takes words that are one unknown character each, and gives how many these are.
static inline size_t append_unknowns(
    const uint8_t *text, size_t count, const size_t *bounds, size_t word_count, const kist_unigram *model, progress *at) {
  size_t taken = 0;
  for (; taken < word_count; taken++) {
    size_t start = bounds[taken], end = bounds[taken + 1];
    if (end > count || start >= end || !is_lone_unknown(text + start, end - start, model)) break;
    if ((size_t)(at->end - at->to) < end - start || !(fabsf(at->sum) < model->settled_limit)) break;
    at->sum += model->unknown_score;
    append_unknown(text + start, end - start, model, at);
  }
  return taken;
}

KIST_CLONES size_t kist_unigram_words(
    const uint8_t *text, size_t count, const size_t *bounds, size_t word_count, const kist_piece_cache *cache,
    const kist_unigram *model, float *sum, bool *follows_unknown, uint32_t *ids, size_t capacity, size_t *id_count) {
  const uint64_t mask = cache->slot_count - 1;
  const kist_piece_slot *slots = cache->slots;
  const long_pieces pieces = {cache->long_bytes, cache->long_byte_count};
  // A key is read from 16 bytes, however short the word is.
  const size_t last_end = count < 16 ? 0 : count - 16;
  piece_key keys[block];
  const kist_piece_slot *found_slots[block];
  size_t found = 0, size = first_block;
  progress at = {ids, ids + capacity, *sum, *follows_unknown};
  bool goes_on = true;
  while (goes_on && found < word_count) {
    found += append_unknowns(text, count, bounds + found, word_count - found, model, &at);
    size_t wanted = word_count - found < size ? word_count - found : size, ready = 0;
    bool meets_unknown = false;
    for (const size_t *bound = bounds + found; ready < wanted; ready++, bound++) {
      size_t start = bound[0], end = bound[1], length = end - start;
      // An end before its start wraps around.
      if (length - 1 >= longest_word || end > last_end) break;
      meets_unknown = is_lone_unknown(text + start, length, model);
      if (meets_unknown) break;
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
    goes_on = ready == wanted || (meets_unknown && ready > 0);
    for (size_t i = 0; i < ready; i++, found++) {
      const kist_piece_slot *slot = found_slots[i];
      size_t start = bounds[found], length = bounds[found + 1] - start;
      if (slot && is_long(keys[i])) {
        size_t place = (uint32_t)slot->high;
        bool is_same = place <= pieces.count && length <= pieces.count - place &&
            memcmp(pieces.bytes + place, text + start, length) == 0;
        if (!is_same) slot = long_slot_of(keys[i], text + start, slots, mask, pieces);
      }
      bool is_done = slot ? append_word(slot, text + start, length, cache, model, &at)
          : !is_met_again(cache->marks, hash_of_key(keys[i])) && append_searched(text + start, length, model, &at);
      if (!is_done) {
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
