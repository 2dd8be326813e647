#include "Inference.h"

#include "Clones.h"
#include "LaneMath.h"

#pragma STDC FP_CONTRACT OFF

/// Runs a statement that makes y of x over `count` elements of `values`, in place.
#define EACH(STATEMENT)                          \
  for (size_t i = 0; i < count; i += lanes) {    \
    size_t width = lanes_from(i, count);         \
    floats x, y;                                 \
    load_lanes(values + i, width, 0, &x);        \
    STATEMENT;                                   \
    store_lanes(&y, width, values + i);          \
  }

/// The same for a gate, whose activation is multiplied with `up`.
#define EACH_GATE(STATEMENT)                     \
  for (size_t i = 0; i < count; i += lanes) {    \
    size_t width = lanes_from(i, count);         \
    floats x, y, factor;                         \
    load_lanes(gate + i, width, 0, &x);          \
    load_lanes(up + i, width, 0, &factor);       \
    STATEMENT;                                   \
    y *= factor;                                 \
    store_lanes(&y, width, out + i);             \
  }

INLINE void silu_lanes(const floats *x, floats *y) {
  sigmoid_lanes(x, y);
  *y *= *x;
}

INLINE void gelu_lanes(const floats *x, floats *y) {
  normal_lanes(x, y);
  *y *= *x;
}

/// x / 2 (1 + tanh(u)) is x times the logistic function of 2u; u = √(2/π) (x + 0.044715 x³).
INLINE void gelu_tanh_lanes(const floats *x, floats *y) {
  doubles wide = WIDENED(*x);
  doubles twice = 0x1.988453365ff75p+0 * (wide + 0.044715 * (wide * wide * wide));
  sigmoid_wide_lanes(&twice, y);
  *y *= *x;
}

INLINE void gelu_quick_lanes(const floats *x, floats *y) {
  doubles scaled = 1.702 * WIDENED(*x);
  sigmoid_wide_lanes(&scaled, y);
  *y *= *x;
}

KIST_CLONES void kist_silu(float *values, size_t count) { EACH(silu_lanes(&x, &y)) }
KIST_CLONES void kist_gelu(float *values, size_t count) { EACH(gelu_lanes(&x, &y)) }
KIST_CLONES void kist_gelu_tanh(float *values, size_t count) { EACH(gelu_tanh_lanes(&x, &y)) }
KIST_CLONES void kist_gelu_quick(float *values, size_t count) { EACH(gelu_quick_lanes(&x, &y)) }
KIST_CLONES void kist_tanh(float *values, size_t count) { EACH(tanh_lanes(&x, &y)) }
KIST_CLONES void kist_sigmoid(float *values, size_t count) { EACH(sigmoid_lanes(&x, &y)) }

// NaN is not less than 0 and stays.
KIST_CLONES void kist_relu(float *values, size_t count) { EACH(y = CHOOSE(x < 0, (floats){0}, x)) }
KIST_CLONES void kist_relu_squared(float *values, size_t count) { EACH(y = CHOOSE(x < 0, (floats){0}, x * x)) }

KIST_CLONES void kist_soft_cap(float *values, size_t count, float cap) {
  EACH(x /= cap; tanh_lanes(&x, &y); y *= cap)
}

KIST_CLONES void kist_silu_multiply(const float *gate, const float *up, size_t count, float *out) {
  EACH_GATE(silu_lanes(&x, &y))
}

KIST_CLONES void kist_gelu_multiply(const float *gate, const float *up, size_t count, float *out) {
  EACH_GATE(gelu_lanes(&x, &y))
}

KIST_CLONES void kist_gelu_tanh_multiply(const float *gate, const float *up, size_t count, float *out) {
  EACH_GATE(gelu_tanh_lanes(&x, &y))
}
