// The kernels of Sources/CKernels that compute with floats or cut text, one by one, as compiled for each kind of processor. The loader picks
// one of them for the program; tests call all that this machine can run.

#ifndef KIST_KERNEL_CLONES_H
#define KIST_KERNEL_CLONES_H

#include <stddef.h>

#include "CKernels.h"
#include "Inference.h"
#include "Training.h"

#define IN_PLACE (float *, size_t)
#define WITH_NUMBER (float *, size_t, float)
#define GATED (const float *, const float *, size_t, float *)
#define ROTARY (float *, const float *, const float *, size_t)
#define ACCUMULATING (float *, const float *, size_t)
#define NORM (const float *, const float *, float, size_t, float *)
#define CENTERED_NORM (const float *, const float *, const float *, float, size_t, float *)
#define ATTENTION (const float *, const float *, const float *, const kist_attention_shape *, float *, float *)
#define PLACES size_t *, size_t *, size_t
#define COPYING (const uint8_t *, size_t, const uint8_t *, size_t, bool, bool *, uint8_t *)
#define MATRIX_VECTOR (const void *, size_t, size_t, const float *, float *)

#define NORM_BACKWARD (const float *, const float *, const float *, float, size_t, bool, float *, float *)
#define NORM_WEIGHTS (const float *, const float *, const float *, size_t, size_t, size_t, float *, float *)
#define BACKWARD (const float *, const float *, size_t, float *)
#define GATE_BACKWARD (const float *, const float *, const float *, size_t, float *, float *)
#define ADAM (float *, const float *, float *, float *, size_t, const kist_adam_step *)
#define DESCEND (float *, const float *, float *, size_t, float, float, float, float)

#define SUMMARY (const double *, size_t, kist_summary *)
#define COMPARISON (const double *, const double *, size_t, kist_comparison *)
#define LOSS (const float *, const float *, const float *, size_t, kist_loss *)

// X(result, name without kist_, parameters)
#define KIST_KERNELS(X)                                                             \
  X(void, rms_norm, NORM)                                                           \
  X(void, layer_norm, CENTERED_NORM)                                                \
  X(void, softmax, IN_PLACE)                                                        \
  X(void, softmax_sink, WITH_NUMBER)                                                \
  X(float, log_sum_exp, (const float *, size_t))                                    \
  X(void, silu, IN_PLACE)                                                           \
  X(void, gelu, IN_PLACE)                                                           \
  X(void, gelu_tanh, IN_PLACE)                                                      \
  X(void, gelu_quick, IN_PLACE)                                                     \
  X(void, relu, IN_PLACE)                                                           \
  X(void, relu_squared, IN_PLACE)                                                   \
  X(void, tanh, IN_PLACE)                                                           \
  X(void, sigmoid, IN_PLACE)                                                        \
  X(void, soft_cap, WITH_NUMBER)                                                    \
  X(void, silu_multiply, GATED)                                                     \
  X(void, gelu_multiply, GATED)                                                     \
  X(void, gelu_tanh_multiply, GATED)                                                \
  X(void, rotate_half, ROTARY)                                                      \
  X(void, rotate_interleaved, ROTARY)                                               \
  X(float, dot, (const float *, const float *, size_t))                             \
  X(void, add_scaled, (float *, const float *, float, size_t))                      \
  X(void, add, ACCUMULATING)                                                        \
  X(void, scale, (float *, float, size_t))                                          \
  X(void, multiply, ACCUMULATING)                                                   \
  X(void, attend, ATTENTION)                                                        \
  X(void, rms_norm_backward, NORM_BACKWARD)                                         \
  X(void, layer_norm_backward, NORM_BACKWARD)                                       \
  X(void, norm_weights_backward, NORM_WEIGHTS)                                      \
  X(void, add_column_sums, (const float *, size_t, size_t, size_t, float *))        \
  X(void, silu_backward, BACKWARD)                                                  \
  X(void, gelu_backward, BACKWARD)                                                  \
  X(void, gelu_tanh_backward, BACKWARD)                                             \
  X(void, gelu_quick_backward, BACKWARD)                                            \
  X(void, relu_backward, BACKWARD)                                                  \
  X(void, relu_squared_backward, BACKWARD)                                          \
  X(void, silu_gate_backward, GATE_BACKWARD)                                        \
  X(void, gelu_gate_backward, GATE_BACKWARD)                                        \
  X(void, gelu_tanh_gate_backward, GATE_BACKWARD)                                   \
  X(void, soft_cap_backward, (const float *, size_t, float, float *))               \
  X(void, softmax_backward, (const float *, size_t, float, float *))                \
  X(float, cross_entropy, (float *, size_t, size_t, float))                         \
  X(double, sum_of_squares, (const float *, size_t))                                \
  X(void, adam, ADAM)                                                               \
  X(void, descend, DESCEND)                                                         \
  X(void, summarize, SUMMARY)                                                       \
  X(void, compare, COMPARISON)                                                      \
  X(void, measure_loss, LOSS)                                                       \
  X(void, gemv_f32, MATRIX_VECTOR)                                                  \
  X(void, gemv_bf16, MATRIX_VECTOR)                                                 \
  X(void, gemv_f16, MATRIX_VECTOR)                                                  \
  X(void, gemv_q8_0, MATRIX_VECTOR)                                                 \
  X(size_t, gpt2_ends, (const uint8_t *, size_t, PLACES))                           \
  X(size_t, word_ends, (const uint8_t *, size_t, bool, PLACES))                     \
  X(size_t, cased_ends, (const uint8_t *, size_t, bool, bool, PLACES))              \
  X(size_t, marker_ends, (const uint8_t *, size_t, size_t, size_t *, size_t))       \
  X(size_t, copy_with_spaces, COPYING)

typedef struct {
  const char *processor;
#define KIST_FIELD(RESULT, NAME, PARAMETERS) RESULT(*NAME) PARAMETERS;
  KIST_KERNELS(KIST_FIELD)
#undef KIST_FIELD
} kist_kernel_clones;

/// Fills in the kernels as the program calls them, then those for each kind of processor that this one can stand in
/// for; says how many there are.
size_t kist_get_kernel_clones(kist_kernel_clones clones[4]);

#endif
