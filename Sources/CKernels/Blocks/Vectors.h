// 16 numbers at a time, in clang's portable vectors: one register of AVX-512, two of AVX2, four of others.

#ifndef KIST_VECTORS_H
#define KIST_VECTORS_H

#include "Halves.h"

typedef uint8_t kist_u8x16 __attribute__((ext_vector_type(16)));
typedef int8_t kist_i8x16 __attribute__((ext_vector_type(16)));
typedef uint16_t kist_u16x16 __attribute__((ext_vector_type(16)));
typedef int32_t kist_i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t kist_u32x16 __attribute__((ext_vector_type(16)));
typedef float kist_f32x16 __attribute__((ext_vector_type(16)));

/// What the intrinsic that shuffles bytes takes.
typedef char kist_shuffled __attribute__((vector_size(16)));

#define UNROLL _Pragma("clang loop unroll(full)")

#endif
