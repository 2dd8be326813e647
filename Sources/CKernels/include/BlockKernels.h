// GGML's block types to f32 and back, bit for bit as llama.cpp's ggml-quants.c.

#ifndef KIST_BLOCK_KERNELS_H
#define KIST_BLOCK_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/// What can be done with a block type. Addresses need no alignment; nothing is allocated, nothing shared is written.
typedef struct {
  /// Widens `count` blocks to f32.
  void (*dequantize)(const void *blocks, size_t count, float *values);
  /// Quantizes `rows` rows of `columns` numbers, a multiple of the block's. `importance`: NULL, or a weight for each
  /// column. NULL itself for types that nothing is quantized to.
  void (*quantize)(const float *values, size_t rows, size_t columns, const float *importance, void *blocks);
} kist_block_kernels;

/// The highest level that this processor can run: 0 any processor, 1 AVX2, 2 AVX-512.
int kist_best_level(void);

/// The kernels of a `ggml_type` at a level; NULL when there are none or the processor can't run them.
const kist_block_kernels *kist_find_block_kernels(int level, uint32_t ggml_type);

/// The code of a point of a grid, numbered as IQ2_XXS, IQ2_XS, IQ2_S, IQ1, IQ3_XXS, IQ3_S: 2 bits a number in the first
/// four, else 3, the first number in the lowest.
uint16_t kist_grid_code(int grid, int place);

#endif
