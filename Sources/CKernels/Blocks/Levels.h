// One table of kernels for each kind of processor, by ggml_type.

#ifndef KIST_LEVELS_H
#define KIST_LEVELS_H

#include "../include/BlockKernels.h"
#include "Grids.h"
#include "Neighbours.h"
#include "Vectors.h"

#include <float.h>
#include <math.h>

// Vectors are only handed between functions that are inlined into each other.
#pragma clang diagnostic ignored "-Wpsabi"

enum { kist_ggml_type_count = 43 };

extern const kist_block_kernels kist_baseline_kernels[kist_ggml_type_count];
#if defined(__x86_64__)
extern const kist_block_kernels kist_avx2_kernels[kist_ggml_type_count];
extern const kist_block_kernels kist_avx512_kernels[kist_ggml_type_count];
#endif

#endif
