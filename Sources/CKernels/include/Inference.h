// The inner loops of a forward pass, f32. Pointers need no alignment, lengths may be any (also 0), and an output may be
// an input unless the comment says otherwise. Results are the same bits on every processor.

#ifndef KIST_INFERENCE_H
#define KIST_INFERENCE_H

#include <stddef.h>

// Norms of one row. `weight` and `bias` may be null. Sums are of doubles.

/// out = x / √(mean(x²) + epsilon) · weight.
void kist_rms_norm(const float *x, const float *weight, float epsilon, size_t count, float *out);

/// out = (x - mean) / √(mean((x - mean)²) + epsilon) · weight + bias.
void kist_layer_norm(
    const float *x, const float *weight, const float *bias, float epsilon, size_t count, float *out);

/// e^x / Σ e^x, in place. NaN or infinity make all NaN, as does a row of nothing but -infinity.
void kist_softmax(float *values, size_t count);

/// The same with one more term in the sum, e^sink: attention sinks. A row of nothing but -infinity becomes 0.
void kist_softmax_sink(float *values, size_t count, float sink);

/// log Σ e^x; -infinity of nothing.
float kist_log_sum_exp(const float *values, size_t count);

// Activations, in place. Where the mathematical limit at -infinity is 0 but the formula multiplies -infinity with 0
// (silu, the gelus), the result is NaN, as in PyTorch.

void kist_silu(float *values, size_t count);          // x σ(x)
void kist_gelu(float *values, size_t count);          // x Φ(x)
void kist_gelu_tanh(float *values, size_t count);     // x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))
void kist_gelu_quick(float *values, size_t count);    // x σ(1.702 x)
void kist_relu(float *values, size_t count);          // max(x, 0)
void kist_relu_squared(float *values, size_t count);  // max(x, 0)²
void kist_tanh(float *values, size_t count);
void kist_sigmoid(float *values, size_t count);  // 1 / (1 + e^-x)

/// cap · tanh(x / cap), in place.
void kist_soft_cap(float *values, size_t count, float cap);

// Gated feed-forward: out = activation(gate) · up.
void kist_silu_multiply(const float *gate, const float *up, size_t count, float *out);
void kist_gelu_multiply(const float *gate, const float *up, size_t count, float *out);
void kist_gelu_tanh_multiply(const float *gate, const float *up, size_t count, float *out);

// Rotary embedding of one head, in place: (a, b) becomes (a cos - b sin, b cos + a sin). `head` must not overlap the
// others.

/// The pairs are (head[i], head[i + pairs]).
void kist_rotate_half(float *head, const float *cosines, const float *sines, size_t pairs);

/// The pairs are (head[2i], head[2i + 1]).
void kist_rotate_interleaved(float *head, const float *cosines, const float *sines, size_t pairs);

// Vectors.

float kist_dot(const float *a, const float *b, size_t count);
void kist_add_scaled(float *y, const float *x, float scale, size_t count);  // y += x · scale
void kist_add(float *y, const float *x, size_t count);                      // y += x
void kist_scale(float *x, float scale, size_t count);                       // x *= scale
void kist_multiply(float *y, const float *x, size_t count);                 // y *= x

/// One position's attention with one KV head: `group` query heads that share it look at `positions` cached rows, so
/// that these are read once.
typedef struct {
  size_t positions, group;
  size_t head_size, key_stride;      // floats of a key, and from one position's key to the next one's
  size_t value_size, value_stride;   // the same for values
  float scale;                       // of q · k
  float cap;                         // soft cap of the scaled scores; 0 for none
  const float *slopes;               // ALiBi, one a query head: slope · (position - last position) is added; or null
  const float *sinks;                // one a query head, a term in the softmax's sum only; or null
} kist_attention_shape;

/// out [group, value_size] = softmax(cap(scale · q kᵀ) + ALiBi) v. A causal mask is in `positions`; a sliding window
/// is made by starting at a later position. `scores` [group, positions] is left holding the attention weights.
/// `queries` is [group, head_size]. Nothing may overlap. With no positions, out is 0.
void kist_attend(
    const float *queries, const float *keys, const float *values, const kist_attention_shape *shape, float *scores,
    float *out);

// A stored matrix [row_count, columns], row after row, times a vector: y[row] = Σ rows[row, i] · x[i]. `y` must not
// overlap the others. Each reads the weights once, at the speed of memory. A row's result does not depend on the other
// rows, so a caller may split them between threads.

void kist_gemv_f32(const void *rows, size_t row_count, size_t columns, const float *x, float *y);
void kist_gemv_bf16(const void *rows, size_t row_count, size_t columns, const float *x, float *y);
void kist_gemv_f16(const void *rows, size_t row_count, size_t columns, const float *x, float *y);

/// Blocks of 34 bytes: a scale in f16, then 32 signed bytes. `columns` is a multiple of 32.
void kist_gemv_q8_0(const void *rows, size_t row_count, size_t columns, const float *x, float *y);

#endif
