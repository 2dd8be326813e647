#include "Clones.h"
#include "LaneMath.h"
#include "Training.h"

#pragma STDC FP_CONTRACT OFF

// Each gives an activation's value and slope.

INLINE void silu_slope(const floats *x, floats *value, floats *slope) {
  floats s;
  sigmoid_lanes(x, &s);
  *value = *x * s;
  *slope = s * (1 + *x * (1 - s));
}

/// Φ(x) + x φ(x), where φ is the normal density.
INLINE void gelu_slope(const floats *x, floats *value, floats *slope) {
  floats normal, density;
  normal_lanes(x, &normal);
  doubles exponent = -0.5 * WIDENED(*x) * WIDENED(*x);
  exp_wide_lanes(&exponent, &density);
  *value = *x * normal;
  *slope = normal + *x * (density * 0x1.988454p-2f);
}

/// x σ(2u) with u = √(2/π) (x + 0.044715 x³): σ + x σ (1 - σ) 2u′. With e = e^-|2u|, σ (1 - σ) is e / (1 + e)², of which no digits are lost.
INLINE void gelu_tanh_slope(const floats *x, floats *value, floats *slope) {
  doubles wide = WIDENED(*x);
  doubles twice = 0x1.988453365ff75p+0 * (wide + 0.044715 * (wide * wide * wide));
  doubles magnitude = (doubles)((longs)twice | INT64_MIN);
  floats e, sign = NARROWED(twice), rise = NARROWED(0x1.988453365ff75p+0 * (1 + 0.134145 * (wide * wide)));
  exp_wide_lanes(&magnitude, &e);
  floats s = LOGISTIC(sign, e), below = 1 + e;
  *value = *x * s;
  *slope = s + *x * (e / (below * below)) * rise;
}

INLINE void gelu_quick_slope(const floats *x, floats *value, floats *slope) {
  doubles scaled = 1.702 * WIDENED(*x);
  floats s;
  sigmoid_wide_lanes(&scaled, &s);
  *value = *x * s;
  *slope = s + *x * (s * (1 - s)) * 1.702f;
}

// At 0 the slope is 0, as in PyTorch; NaN stays NaN.

INLINE void relu_slope(const floats *x, floats *value, floats *slope) {
  *value = CHOOSE(*x <= 0, (floats){0}, *x);
  *slope = CHOOSE(*x <= 0, (floats){0}, 1 + (floats){0});
}

INLINE void relu_squared_slope(const floats *x, floats *value, floats *slope) {
  floats positive = CHOOSE(*x <= 0, (floats){0}, *x);
  *value = positive * positive;
  *slope = positive + positive;
}

#define BACKWARD(NAME)                                                                              \
  KIST_CLONES void kist_##NAME##_backward(const float *x, const float *dy, size_t count, float *dx) { \
    for (size_t i = 0; i < count; i += lanes) {                                                     \
      size_t width = lanes_from(i, count);                                                          \
      floats part, gradient, value, slope;                                                          \
      load_lanes(x + i, width, 0, &part);                                                           \
      load_lanes(dy + i, width, 0, &gradient);                                                      \
      NAME##_slope(&part, &value, &slope);                                                          \
      gradient *= slope;                                                                            \
      store_lanes(&gradient, width, dx + i);                                                        \
    }                                                                                               \
  }

BACKWARD(silu)
BACKWARD(gelu)
BACKWARD(gelu_tanh)
BACKWARD(gelu_quick)
BACKWARD(relu)
BACKWARD(relu_squared)

#define GATE_BACKWARD(NAME)                                                                     \
  KIST_CLONES void kist_##NAME##_gate_backward(                                                 \
      const float *gate, const float *up, const float *dy, size_t count, float *dgate, float *dup) { \
    for (size_t i = 0; i < count; i += lanes) {                                                 \
      size_t width = lanes_from(i, count);                                                      \
      floats x, factor, gradient, value, slope;                                                 \
      load_lanes(gate + i, width, 0, &x);                                                       \
      load_lanes(up + i, width, 0, &factor);                                                    \
      load_lanes(dy + i, width, 0, &gradient);                                                  \
      NAME##_slope(&x, &value, &slope);                                                         \
      value *= gradient;                                                                        \
      slope *= factor * gradient;                                                               \
      store_lanes(&slope, width, dgate + i);                                                    \
      store_lanes(&value, width, dup + i);                                                      \
    }                                                                                           \
  }

GATE_BACKWARD(silu)
GATE_BACKWARD(gelu)
GATE_BACKWARD(gelu_tanh)

KIST_CLONES void kist_soft_cap_backward(const float *y, size_t count, float cap, float *dy) {
  for (size_t i = 0; i < count; i++) {
    float part = y[i] / cap;
    dy[i] *= 1 - part * part;
  }
}
