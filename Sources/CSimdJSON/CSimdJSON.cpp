#include "CSimdJSON.h"

#include <simdjson.h>

#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <type_traits>

using namespace simdjson;

struct kist_json_document {
  dom::document document;
};

namespace {

// simdjson's element and iterators are each one tape reference: a document and a position.
template <typename T> T restore(kist_json_value value) {
  static_assert(sizeof(T) == sizeof(value) && std::is_trivially_copyable<T>::value, "simdjson's layout has changed");
  T result;
  std::memcpy(static_cast<void *>(&result), &value, sizeof(value));
  return result;
}

template <typename T> kist_json_value keep(const T &reference) {
  static_assert(sizeof(T) == sizeof(kist_json_value), "simdjson's layout has changed");
  kist_json_value value;
  std::memcpy(&value, static_cast<const void *>(&reference), sizeof(value));
  return value;
}

// Asks for huge pages, where the system has them: touching each small page of much memory for the first time takes as long as parsing.
void use_huge_pages(void *memory, size_t count) {
#ifdef __linux__
  const uintptr_t page = 4096, begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) & ~(page - 1);
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + count) & ~(page - 1);
  if (count >= size_t(4) << 20) madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

// Memory for the document, as parse_into_document would allocate it.
error_code allocate(dom::document &document, size_t count) {
  error_code code = document.allocate(count);
  if (code) return code;
  use_huge_pages(document.tape.get(), count * sizeof(uint64_t));
  use_huge_pages(document.string_buf.get(), count);
  return SUCCESS;
}

}  // namespace

kist_json_document *kist_json_parse(const void *bytes, size_t count, bool is_padded, size_t depth, const char **error) {
  auto *result = new (std::nothrow) kist_json_document;
  if (!result) {
    *error = "out of memory";
    return nullptr;
  }
  dom::parser parser;
  error_code code = parser.allocate(count, depth);
  if (!code) code = allocate(result->document, count);
  // A text that is not padded is copied.
  if (!code) {
    code = parser.parse_into_document(result->document, static_cast<const uint8_t *>(bytes), count, !is_padded).error();
  }
  if (code) {
    delete result;
    *error = error_message(code);
    return nullptr;
  }
  return result;
}

void kist_json_free(kist_json_document *document) { delete document; }

kist_json_value kist_json_root(const kist_json_document *document) { return keep(document->document.root()); }

kist_json_type kist_json_type_of(kist_json_value value) {
  switch (restore<dom::element>(value).type()) {
    case dom::element_type::ARRAY: return kist_json_array;
    case dom::element_type::OBJECT: return kist_json_object;
    case dom::element_type::INT64: return kist_json_int64;
    case dom::element_type::UINT64: return kist_json_uint64;
    case dom::element_type::DOUBLE: return kist_json_double;
    case dom::element_type::STRING: return kist_json_string;
    case dom::element_type::BOOL: return kist_json_bool;
    default: return kist_json_null;
  }
}

bool kist_json_get_bool(kist_json_value value) { return restore<dom::element>(value).get_bool().value_unsafe(); }

int64_t kist_json_get_int64(kist_json_value value) { return restore<dom::element>(value).get_int64().value_unsafe(); }

uint64_t kist_json_get_uint64(kist_json_value value) {
  return restore<dom::element>(value).get_uint64().value_unsafe();
}

double kist_json_get_double(kist_json_value value) { return restore<dom::element>(value).get_double().value_unsafe(); }

const char *kist_json_get_string(kist_json_value value, size_t *length) {
  auto text = restore<dom::element>(value).get_string().value_unsafe();
  *length = text.size();
  return text.data();
}

bool kist_json_get_string_pair(kist_json_value value, const char **one, size_t *one_length, const char **other,
                               size_t *other_length) {
  dom::array array = restore<dom::element>(value).get_array().value_unsafe();
  auto position = array.begin();
  auto end = array.end();
  std::string_view text;
  if (!(position != end) || (*position).get(text) != SUCCESS) return false;
  *one = text.data();
  *one_length = text.size();
  ++position;
  if (!(position != end) || (*position).get(text) != SUCCESS) return false;
  *other = text.data();
  *other_length = text.size();
  ++position;
  return !(position != end);
}

size_t kist_json_child_count(kist_json_value value) {
  auto element = restore<dom::element>(value);
  dom::object object;
  if (element.get(object) == SUCCESS) return object.size();
  return element.get_array().value_unsafe().size();
}

kist_json_cursor kist_json_children(kist_json_value value) {
  auto element = restore<dom::element>(value);
  dom::object object;
  if (element.get(object) == SUCCESS) return {keep(object.begin()), keep(object.end()), true};
  dom::array array = element.get_array().value_unsafe();
  return {keep(array.begin()), keep(array.end()), false};
}

bool kist_json_next(kist_json_cursor *cursor, const char **key, size_t *key_length, kist_json_value *child) {
  *key = nullptr;
  *key_length = 0;
  if (cursor->is_object) {
    auto position = restore<dom::object::iterator>(cursor->position);
    if (!(position != restore<dom::object::iterator>(cursor->end))) return false;
    auto name = position.key();
    *key = name.data();
    *key_length = name.size();
    *child = keep(position.value());
    cursor->position = keep(++position);
  } else {
    auto position = restore<dom::array::iterator>(cursor->position);
    if (!(position != restore<dom::array::iterator>(cursor->end))) return false;
    *child = keep(*position);
    cursor->position = keep(++position);
  }
  return true;
}

bool kist_json_last_member(kist_json_value object, const char *name, size_t name_length, kist_json_value *child) {
  dom::object members;
  if (restore<dom::element>(object).get(members) != SUCCESS) return false;
  bool found = false;
  for (auto position = members.begin(); position != members.end(); ++position) {
    if (position.key() != std::string_view(name, name_length)) continue;
    *child = keep(position.value());
    found = true;
  }
  return found;
}

size_t kist_json_next_ids(kist_json_cursor *cursor, kist_json_id *ids, size_t capacity) {
  auto position = restore<dom::object::iterator>(cursor->position);
  auto end = restore<dom::object::iterator>(cursor->end);
  size_t count = 0;
  for (; count < capacity && position != end; ++count, ++position) {
    auto name = position.key();
    int64_t id = -1;
    if (position.value().get(id) != SUCCESS || id < 0 || id > UINT32_MAX) id = -1;
    ids[count] = {name.data(), name.size(), id};
  }
  cursor->position = keep(position);
  return count;
}

size_t kist_json_next_pairs(kist_json_cursor *cursor, kist_json_pair *pairs, size_t capacity) {
  auto position = restore<dom::array::iterator>(cursor->position);
  auto end = restore<dom::array::iterator>(cursor->end);
  size_t count = 0;
  for (; count < capacity && position != end; ++count, ++position) {
    kist_json_pair &pair = pairs[count];
    if ((*position).type() != dom::element_type::ARRAY ||
        !kist_json_get_string_pair(keep(*position), &pair.one, &pair.one_length, &pair.other, &pair.other_length)) {
      pair.one = nullptr;
    }
  }
  cursor->position = keep(position);
  return count;
}

bool kist_is_utf8(const void *bytes, size_t count) {
  return simdjson::validate_utf8(static_cast<const char *>(bytes), count);
}
