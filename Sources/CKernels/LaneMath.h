// exp, tanh, the logistic function and the normal distribution function of sixteen floats, to one or two units in the
// last place. The polynomials are minimax fits (Remez) of the relative error. No fused multiply-add: every processor
// gives the same bits.

#ifndef KIST_LANE_MATH_H
#define KIST_LANE_MATH_H

#include "Lanes.h"

#pragma STDC FP_CONTRACT OFF

/// Adding this rounds a small number to an integer, which is then in the low bits.
static const float float_rounder = 0x1.8p23f;
static const double double_rounder = 0x1.8p52;

// Beyond these, exp is 0 and infinity.
static const float exp_least = -104, exp_greatest = 89;

/// e^r 2^n for |r| ≤ ln 2 / 2 and an integer n. The power is multiplied in two steps: where the result is subnormal, it
/// is rounded once.
INLINE void scaled_exp(const floats *r, const floats *n, floats *result) {
  floats q = *r * 0x1.6a1a78p-10f + 0x1.123fc6p-7f;
  q = q * *r + 0x1.555916p-5f;
  q = q * *r + 0x1.55548ap-3f;
  q = q * *r + 0x1.fffffcp-2f;
  floats p = (*r + *r * *r * q) + 1;
  ints power = (ints)((words)(*n + float_rounder) - 0x4B400000u);
  ints half = power >> 1;
  p *= (floats)((words)(half + 127) << 23);
  *result = p * (floats)((words)(power - half + 127) << 23);
}

/// e^x. NaN stays NaN.
INLINE void exp_lanes(const floats *x, floats *result) {
  floats a = CHOOSE(*x < exp_least, exp_least + (floats){0}, *x);
  a = CHOOSE(a > exp_greatest, exp_greatest + (floats){0}, a);
  floats n = (a * 0x1.715476p+0f + float_rounder) - float_rounder;
  // ln 2 in two parts: n times the first is exact.
  floats r = (a - n * 0x1.62ep-1f) - n * 0x1.0bfbe8p-15f;
  scaled_exp(&r, &n, result);
}

/// e^x of an argument that is itself the result of some arithmetic, whose rounding the exponential would magnify.
INLINE void exp_wide_lanes(const doubles *x, floats *result) {
  doubles a = CHOOSE_DOUBLES(*x < exp_least, exp_least + (doubles){0}, *x);
  a = CHOOSE_DOUBLES(a > exp_greatest, exp_greatest + (doubles){0}, a);
  doubles wide_n = (a * 0x1.71547652b82fep+0 + double_rounder) - double_rounder;
  floats r = NARROWED(a - wide_n * 0x1.62e42fefa39efp-1);
  floats n = NARROWED(wide_n);
  scaled_exp(&r, &n, result);
}

INLINE void magnitude_of_lanes(const floats *x, floats *result) { *result = (floats)((ints)*x & INT32_MAX); }

/// 1 / (1 + e^-x), given e^-|x|: nothing overflows, and small results keep their precision.
#define LOGISTIC(X, EXP_OF_MINUS_MAGNITUDE) \
  (CHOOSE((X) < 0, EXP_OF_MINUS_MAGNITUDE, 1 + (floats){0}) / (1 + (EXP_OF_MINUS_MAGNITUDE)))

INLINE void sigmoid_lanes(const floats *x, floats *result) {
  floats e, a = (floats)((ints)*x | INT32_MIN);
  exp_lanes(&a, &e);
  *result = LOGISTIC(*x, e);
}

INLINE void sigmoid_wide_lanes(const doubles *x, floats *result) {
  doubles a = (doubles)((longs)*x | INT64_MIN);
  floats e, sign = NARROWED(*x);
  exp_wide_lanes(&a, &e);
  *result = LOGISTIC(sign, e);
}

/// A polynomial near 0, else 1 - 2 / (e^2|x| + 1).
INLINE void tanh_lanes(const floats *x, floats *result) {
  floats a, e;
  magnitude_of_lanes(x, &a);
  floats twice = a + a, z = a * a;
  exp_lanes(&twice, &e);
  floats p = z * -0x1.722afcp-8f + 0x1.5157fcp-6f;
  p = p * z - 0x1.b81dc2p-5f;
  p = p * z + 0x1.110646p-3f;
  p = p * z - 0x1.55552ep-2f;
  floats t = CHOOSE(a < 0.625f, a + a * z * p, 1 - 2 / (e + 1));
  *result = (floats)((ints)t | ((ints)*x & INT32_MIN));
}

/// The standard normal distribution function: for x ≤ 0 it is e^(-x²/2) times a function that falls like 1 / |x|, which
/// is a polynomial in (|x| - 3) / (|x| + 3), divided by |x| + 3.
INLINE void normal_lanes(const floats *x, floats *result) {
  floats a, e;
  magnitude_of_lanes(x, &a);
  doubles wide = WIDENED(*x), exponent = -0.5 * wide * wide;
  exp_wide_lanes(&exponent, &e);
  // What the last digits depend on is in doubles.
  doubles w = 1 / (WIDENED(a) + 3);
  doubles wide_s = 1 - 6 * w;
  floats s = NARROWED(wide_s);
  floats p = s * 0x1.c8dee8p-15f + 0x1.134c4cp-13f;
  p = p * s - 0x1.00a328p-12f;
  p = p * s - 0x1.0eac4ep-10f;
  p = p * s + 0x1.0ca39ap-10f;
  p = p * s + 0x1.c8bd86p-8f;
  p = p * s - 0x1.56d5f8p-7f;
  p = p * s - 0x1.832d0ap-5f;
  doubles q = WIDENED(p) * wide_s + 0x1.d71386p-3;
  q = q * wide_s - 0x1.04c72ap-1;
  q = q * wide_s + 0x1.754a76p-1;
  floats tail = e * NARROWED(q * w);
  *result = CHOOSE(*x > 0, 1 - tail, tail);
}

#endif
