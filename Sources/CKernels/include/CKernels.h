// SIMD inner loops. Each is plain C that the compiler vectorizes, once per kind of processor, and each has a plain
// Swift twin that defines it.

#ifndef KIST_KERNELS_H
#define KIST_KERNELS_H

#include "BlockKernels.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "Inference.h"
#include "Pause.h"
#include "Training.h"

/// Splits `count` components of `width` bytes (2, 4 or 8), each rotated left by `rotation` bits (0 or 1), into
/// planes of `count` bytes, most significant first. spec/kist-format.md, "Transforms".
void kist_split_planes(const uint8_t *components, size_t count, int width, int rotation, uint8_t *planes);

/// Undoes kist_split_planes.
void kist_merge_planes(const uint8_t *planes, size_t count, int width, int rotation, uint8_t *components);

/// Gathers a field of `count` blocks, each `stride` bytes after the one before: `length` components of `width` bytes (1, 2, 4 or 8) in each.
/// Gives `width` planes of `count` × `length` bytes, most significant first. spec/kist-format.md, "Transforms".
void kist_split_field(const uint8_t *blocks, size_t count, size_t stride, int width, size_t length, uint8_t *planes);

/// Undoes kist_split_field.
void kist_merge_field(const uint8_t *planes, size_t count, size_t stride, int width, size_t length, uint8_t *blocks);

/// Counts each byte value of a run.
void kist_histogram(const uint8_t *bytes, size_t count, uint32_t counts[256]);

/// What kist_summarize finds out about a run of numbers. All but the counts are of the finite ones.
typedef struct {
  double minimum, maximum;  // infinity and -infinity when no number is finite
  double mean, squares;     // squares: the sum of (x - mean)^2
  uint64_t finite, nans, infinities, zeros;
} kist_summary;

/// Summarizes `count` numbers. Number i is summed up in lane i % 8, so that the result is the same on every processor.
void kist_summarize(const double *values, size_t count, kist_summary *summary);

/// What kist_compare finds out about two runs of numbers. The sums and the maximum are of pairs with a finite difference.
typedef struct {
  double maximum;          // of |a - b|
  double errors, squares;  // the sums of (a - b)^2 and of b^2
  uint64_t differing;      // pairs that are not equal; two NaNs count as equal
  uint64_t incomparable;   // of these, pairs without a finite difference
} kist_comparison;

/// Compares `count` numbers with those of a reference, in lanes as kist_summarize.
void kist_compare(const double *values, const double *reference, size_t count, kist_comparison *comparison);

/// What numbers lose when they are written in another dtype. Sums and maximum are of pairs with a finite difference.
typedef struct {
  double maximum;          // of |written - value|
  double errors, squares;  // the sums of (written - value)^2 and of value^2
  double weighted;         // the sum of weight * (written - value)^2; 0 without weights
  uint64_t nonfinite;      // values that are NaN or infinite
} kist_loss;

/// Compares `count` numbers with what was written of them, in lanes as kist_summarize. `weights` may be null.
void kist_measure_loss(
    const float *values, const float *written, const float *weights, size_t count, kist_loss *loss);

/// Widens `count` numbers, at any address, exactly.
void kist_widen_f32(const void *source, size_t count, double *values);
void kist_widen_bf16(const void *source, size_t count, double *values);
void kist_widen_f16(const void *source, size_t count, double *values);

/// Widens `count` numbers, at any address, to f32, exactly.
void kist_bf16_to_f32(const void *source, size_t count, float *values);
void kist_f16_to_f32(const void *source, size_t count, float *values);

/// Narrows `count` numbers to the nearest, ties to even, at any address. Beyond the range is infinity, NaN stays NaN.
void kist_f32_to_bf16(const float *values, size_t count, void *target);
void kist_f32_to_f16(const float *values, size_t count, void *target);

/// Ends of pieces of ASCII text as GPT-2's pattern cuts it, from `*start` on, where a piece begins; `*start` moves to the last that was
/// found. Stops where it can't tell: there the plain scanner goes on. Gives the number of ends; `capacity` is 64 or more.
/// Sources/KistTokenizers/Patterns/Scanners has the plain twins.
size_t kist_gpt2_ends(const uint8_t *text, size_t count, size_t *start, size_t *ends, size_t capacity);

/// The same for cl100k's pattern and its like. `single_digits`: one digit a piece, not up to three.
size_t kist_word_ends(
    const uint8_t *text, size_t count, bool single_digits, size_t *start, size_t *ends, size_t capacity);

/// The same for o200k's pattern and its like.
size_t kist_cased_ends(
    const uint8_t *text, size_t count, bool single_digits, bool contractions, size_t *start, size_t *ends,
    size_t capacity);

/// A slot of the cache of pieces: a key of 16 bytes, and up to four ids, their number in the upper four bits of the first. Where that is 0,
/// the second is a place in a list of longer results, and the third a count.
typedef struct {
  uint64_t low, high;
  uint32_t ids[4];
} kist_piece_slot;

/// Writes the ids of the first pieces of a list, up to one that has no slot or too many ids, and gives how many pieces these are.
///
/// Piece i goes from `starts[i * stride]` to `ends[i * stride]`. `tag` is a part of every key. `slot_count` is a power of two; `ids` has
/// room for `capacity`. The key of a piece of more than 15 bytes is its hash, and 0xFF000000 plus its length above its place in
/// `long_bytes`; with a tag such pieces are not found.
size_t kist_find_pieces(
    const uint8_t *text, size_t count, const size_t *starts, const size_t *ends, size_t stride, size_t piece_count,
    uint64_t tag, const kist_piece_slot *slots, size_t slot_count, const uint8_t *long_bytes, size_t long_byte_count,
    const uint32_t *long_ids, size_t long_count, uint32_t *ids, size_t capacity, size_t *id_count);

/// A cache of pieces: slots, a power of two of them; the bytes of longer pieces; lists of what slots have no room for.
typedef struct {
  const kist_piece_slot *slots;
  size_t slot_count;
  const uint8_t *long_bytes;
  size_t long_byte_count;
  const uint32_t *lists;
  size_t list_count;
  /// `kist_mark_count` of them: kist_is_met_again.
  uint16_t *marks;
} kist_piece_cache;

enum { kist_mark_count = 1 << 18 };

/// Whether a piece of this hash was asked for lately: most come once, and to keep those is for nothing. `marks` are `kist_mark_count` parts of
/// hashes, at first zeros.
bool kist_is_met_again(uint16_t *marks, uint64_t hash);

/// What a Unigram model says of its tokens. `scores` are bits of f64 by id, at any address.
typedef struct {
  const void *scores;
  size_t score_count;
  /// The magnitude of the sum before a word below which ids without ways are the right ones.
  float settled_limit;
  float unknown_score;
  uint32_t unknown;
  /// Whether words with unknown characters are taken.
  bool takes_unknown;
  /// Of each byte, where unknown characters become bytes; else null.
  const uint32_t *byte_ids;
  /// 64 words, the first two bytes of pieces (KeyBeginnings.swift); null where they were not gathered.
  const uint64_t *beginnings;
  /// The double array of the pieces (DoubleArray.swift), bits of u64 at any address.
  const void *units;
  size_t unit_count;
} kist_unigram;

/// Writes the ids of the first words of a list, and gives how many words these are: up to one that has no slot and was met before, so that it
/// should have one, or whose ids hang on more than is known here. Those of words that were not met are searched. `*sum` is the sum of the
/// scores of all that stands before, `*follows_unknown` whether the last of it is an unknown character, and then with these.
///
/// Word i goes from `bounds[i]` to `bounds[i + 1]`. UnigramModel+Words.swift says what the lists hold.
size_t kist_unigram_words(
    const uint8_t *text, size_t count, const size_t *bounds, size_t word_count, const kist_piece_cache *cache,
    const kist_unigram *model, float *sum, bool *follows_unknown, uint32_t *ids, size_t capacity, size_t *id_count);

/// Writes where the parts of text[start..<end] end, of which no token can reach into two: up to `capacity`, one or more.
///
/// `kinds` are 65,536 numbers of 16 bits, `contexts` 2^(64 - shift) bits. Junctions.swift has the plain twin.
size_t kist_cut(
    const uint8_t *text, size_t count, size_t start, size_t end, const void *kinds, const void *contexts, int shift,
    size_t *ends, size_t capacity);

/// Writes where the words of text[start..] end: before each ▁ that follows another character, and at the end of the text. As many as
/// there is room for.
size_t kist_marker_ends(const uint8_t *text, size_t count, size_t start, size_t *ends, size_t capacity);

/// Copies text with `space` for each space, or, with `joins_spaces`, for the first of a run; `*follows_space` says whether one stands before
/// the text, and then whether it ends in one. `output` has room for `count * space_count + 16`; gives how much is written.
size_t kist_copy_with_spaces(
    const uint8_t *text, size_t count, const uint8_t *space, size_t space_count, bool joins_spaces, bool *follows_space,
    uint8_t *output);

/// Where text stops staying as it is under a SentencePiece character map: before the first place at which a key of the map begins; `count`
/// when there is none. `plain_low` and `plain_high` have a bit for each ASCII byte that stays whatever other of them follows.
/// `units` are the map's double array, one or more; `beginnings` 64 words, the first two bytes of its keys (KeyBeginnings.swift).
/// CharacterMap.swift has the plain twin.
size_t kist_plain_end(
    const uint8_t *text, size_t count, size_t start, const uint32_t *units, size_t unit_count, uint64_t plain_low,
    uint64_t plain_high, const uint64_t *beginnings);

/// memchr
const void *kist_find_byte(const void *bytes, uint8_t byte, size_t count);

#endif
