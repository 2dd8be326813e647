// Little-endian words at any address.

#ifndef KIST_WORDS_H
#define KIST_WORDS_H

#include <stdint.h>
#include <string.h>

static inline uint64_t load(const uint8_t *bytes) {
  uint64_t x;
  memcpy(&x, bytes, sizeof(x));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  x = __builtin_bswap64(x);
#endif
  return x;
}

#endif
