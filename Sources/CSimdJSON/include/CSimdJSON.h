// A C face of simdjson's document: parse once, then walk values in the order of the text.

#ifndef KIST_SIMDJSON_H
#define KIST_SIMDJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct kist_json_document kist_json_document;

/// A place in a document; valid as long as the document.
typedef struct {
  const void *document;
  size_t index;
} kist_json_value;

/// Walks the elements of an array or the members of an object.
typedef struct {
  kist_json_value position;
  kist_json_value end;
  bool is_object;
} kist_json_cursor;

typedef enum {
  kist_json_null,
  kist_json_bool,
  kist_json_int64,
  kist_json_uint64,  // only numbers past INT64_MAX
  kist_json_double,
  kist_json_string,
  kist_json_array,
  kist_json_object,
} kist_json_type;

/// How many bytes behind a padded text can be read.
enum { kist_json_padding = 64 };

/// Parses UTF-8 text of at most `depth` nested levels. On failure returns NULL and points `error` at a static message.
kist_json_document *kist_json_parse(const void *bytes, size_t count, bool is_padded, size_t depth, const char **error);
void kist_json_free(kist_json_document *document);

kist_json_value kist_json_root(const kist_json_document *document);
kist_json_type kist_json_type_of(kist_json_value value);

// Each expects a value of its own type.
bool kist_json_get_bool(kist_json_value value);
int64_t kist_json_get_int64(kist_json_value value);
uint64_t kist_json_get_uint64(kist_json_value value);
double kist_json_get_double(kist_json_value value);
const char *kist_json_get_string(kist_json_value value, size_t *length);

/// The strings of an array of exactly two; false when it is another array.
bool kist_json_get_string_pair(kist_json_value value, const char **one, size_t *one_length, const char **other,
                               size_t *other_length);

/// How many children an array or object has, up to 16777215.
size_t kist_json_child_count(kist_json_value value);

/// The children of an array or object.
kist_json_cursor kist_json_children(kist_json_value value);

/// Moves on to the next child; false after the last. `key` is NULL in arrays.
bool kist_json_next(kist_json_cursor *cursor, const char **key, size_t *key_length, kist_json_value *child);

/// The last member of that name of an object, compared byte by byte; false when there is none.
bool kist_json_last_member(kist_json_value object, const char *name, size_t name_length, kist_json_value *child);

/// A member of an object whose value is a number of 32 bits; `id` is -1 when it is something else.
typedef struct {
  const char *name;
  size_t length;
  int64_t id;
} kist_json_id;

/// An array of exactly two strings; `one` is NULL when it is something else.
typedef struct {
  const char *one;
  size_t one_length;
  const char *other;
  size_t other_length;
} kist_json_pair;

/// Moves on over up to `capacity` members of an object, or elements of an array, and returns how many there were.
size_t kist_json_next_ids(kist_json_cursor *cursor, kist_json_id *ids, size_t capacity);
size_t kist_json_next_pairs(kist_json_cursor *cursor, kist_json_pair *pairs, size_t capacity);

/// Whether bytes are UTF-8.
bool kist_is_utf8(const void *bytes, size_t count);

#ifdef __cplusplus
}
#endif
#endif
