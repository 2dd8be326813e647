// Writes Fixtures/quantization/ggml-blocks.json: what llama.cpp's libggml-base makes of numbers and blocks of every
// type.
//
// The numbers are made of whole ones by exact operations, so that the test makes the same without storing them; the
// results are FNV-1a digests (64 bits), and the first block of the first case, to see where it goes wrong.
//
//   cc -O2 -I $LLAMA/ggml/include Fixtures/make/ggml_blocks.c \
//     -L $BUILD/bin -lggml-base -Wl,-rpath,$BUILD/bin -lm -o /tmp/blocks
//   OMP_NUM_THREADS=1 /tmp/blocks > Fixtures/quantization/ggml-blocks.json

#include "ggml.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { rows = 4, columns = 1280, count = rows * columns };

static uint64_t state;

/// SplitMix64.
static uint64_t next(void) {
  state += 0x9E3779B97F4A7C15u;
  uint64_t z = state;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

/// About normal, a whole number between -131070 and 131070.
static float bell(void) {
  uint64_t x = next();
  return (float)((int)(x & 65535) + (int)(x >> 16 & 65535) + (int)(x >> 32 & 65535) + (int)(x >> 48) - 131070);
}

static const char *cases[] = {
  "normal", "constant", "zero", "subnormal", "huge", "outliers", "coarse", "tiny", "negative"};
enum { case_count = sizeof(cases) / sizeof(cases[0]) };

/// Whether a type's search multiplies numbers so often that llama.cpp gives up on huge ones.
static int has_grid(int type) { return (type >= 16 && type <= 22 && type != 20) || type == 29; }

static void make_numbers(int which, int type, float *x) {
  state = (uint64_t)which + 1;
  for (int i = 0; i < count; i++) {
    switch (which) {
      case 0: x[i] = ldexpf(bell(), -23); break;
      case 1: x[i] = i / 256 % 3 == 0 ? 0.25f : i / 256 % 3 == 1 ? -0.25f : i / 32 % 2 ? 1.f : -1.f; break;
      case 2: x[i] = 0; break;
      case 3: x[i] = ldexpf(bell(), -145); break;
      case 4: x[i] = ldexpf(bell(), has_grid(type) ? 10 : 109); break;
      case 5: {
        x[i] = ldexpf(bell(), -23);
        uint64_t chance = next();
        if (chance % 50 == 0) x[i] *= 32;
        if (chance % 7 == 0) x[i] = 0;
        break;
      }
      case 6: x[i] = (float)((int)(next() % 7) - 3) / 8; break;
      case 7: x[i] = ldexpf(bell(), -40); break;
      case 8: x[i] = -ldexpf(fabsf(bell()), -20); break;
    }
  }
}

static void make_importance(float *weights) {
  state = 1000;
  for (int i = 0; i < columns; i++) weights[i] = i % 11 == 0 ? 0 : ldexpf((float)(next() & 65535), -14);
}

static uint64_t digest(const void *bytes, size_t size) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u;
  return hash;
}

/// The digest of what random blocks are dequantized to, every NaN as the same one.
static uint64_t dequantized(const struct ggml_type_traits *traits) {
  uint8_t *blocks = malloc(traits->type_size * (size_t)count / (size_t)traits->blck_size);
  static uint32_t values[count];
  state = 2000;
  size_t size = traits->type_size * (size_t)count / (size_t)traits->blck_size;
  for (size_t i = 0; i < size; i++) blocks[i] = (uint8_t)next();
  traits->to_float(blocks, (float *)values, count);
  for (int i = 0; i < count; i++)
    if ((values[i] & 0x7FFFFFFF) > 0x7F800000) values[i] = 0x7FC00000;
  free(blocks);
  return digest(values, sizeof(values));
}

int main(void) {
  static float x[count], importance[columns];
  static uint8_t blocks[count * 4];
  make_importance(importance);
  printf("{");
  const char *separator = "\n";
  for (int type = 0; type < GGML_TYPE_COUNT; type++) {
    const struct ggml_type_traits *traits = ggml_get_type_traits(type);
    if (!traits->is_quantized || !traits->to_float || type == GGML_TYPE_Q8_K) continue;
    char name[16];
    for (int i = 0; i < 16; i++) {
      char c = traits->type_name[i < (int)strlen(traits->type_name) ? i : (int)strlen(traits->type_name)];
      name[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
    }
    printf("%s  \"%s\": {\n    \"dequantized\": \"%016llx\"", separator, name, (unsigned long long)dequantized(traits));
    separator = ",\n";
    ggml_quantize_init(type);
    size_t size = ggml_row_size(type, columns) * rows;
    for (int weighted = ggml_quantize_requires_imatrix(type); weighted < 2; weighted++) {
      for (int which = 0; which < case_count; which++) {
        make_numbers(which, type, x);
        ggml_quantize_chunk(type, x, blocks, 0, rows, columns, weighted ? importance : NULL);
        printf(",\n    \"%s%s\": \"%016llx\"", cases[which], weighted ? " weighted" : "",
               (unsigned long long)digest(blocks, size));
        if (which > 0) continue;
        printf(",\n    \"first block%s\": \"", weighted ? " weighted" : "");
        for (size_t i = 0; i < traits->type_size; i++) printf("%02x", blocks[i]);
        printf("\"");
      }
    }
    printf("\n  }");
  }
  printf("\n}\n");
}
