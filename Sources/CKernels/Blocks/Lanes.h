// Quantization goes over 16 blocks at a time, one in each lane, so that every block keeps the order of operations that
// llama.cpp's scalar code gives it: the same bits, whatever the processor.

typedef kist_f32x16 F;
typedef kist_i32x16 I;
typedef kist_u8x16 B;

enum { LANES = 16 };

#define EPSILON 1e-15f  // GROUP_MAX_EPS: blocks of smaller numbers are zero

INLINE F KERNEL(spread)(float x) { return (F)(x); }

INLINE F KERNEL(magnitude)(F x) { return (F)((I)x & 0x7FFFFFFF); }

INLINE F KERNEL(root)(F x) { return __builtin_elementwise_sqrt(x); }

INLINE F KERNEL(float_of)(I x) { return __builtin_convertvector(x, F); }

/// Rounds to nearest, ties to even; of numbers beyond 2^22 the same nonsense as `nearest_int`.
INLINE I KERNEL(nearest)(F x) { return ((I)(x + 12582912.f) & 0x007FFFFF) - 0x00400000; }

INLINE I KERNEL(clamp)(I x, int low, int high) {
  return __builtin_elementwise_max((I)low, __builtin_elementwise_min((I)high, x));
}

INLINE B KERNEL(bytes_of)(I x) { return __builtin_convertvector(x, B); }

INLINE I KERNEL(int_of_bytes)(B x) { return __builtin_convertvector(x, I); }

INLINE int KERNEL(any)(I mask) { return __builtin_reduce_or(mask) != 0; }

/// To f16, ties to even; NaN is 7E00. The bits lie in the lower half of each lane.
INLINE I KERNEL(half_of)(F x) {
  I bits = (I)x, sign = bits & (int)0x80000000;
  kist_u32x16 doubled = (kist_u32x16)(bits + bits);
  F base = (KERNEL(magnitude)(x) * 0x1p112f) * 0x1p-110f;
  kist_u32x16 bias = doubled & 0xFF000000u;
  bias = __builtin_elementwise_max(bias, (kist_u32x16)(0x71000000u));
  base = (F)((bias >> 1) + 0x07800000u) + base;
  I rounded = (I)base;
  I number = ((rounded >> 13) & 0x7C00) + (rounded & 0x0FFF);
  return (I)((kist_u32x16)sign >> 16) | (doubled > 0xFF000000u ? (I)0x7E00 : number);
}

/// Back to f32.
INLINE F KERNEL(float_of_halves)(I half) {
  const int rebase = 112 << 23, exponent_mask = 0x7C00 << 13;
  I magnitude = (half & 0x7FFF) << 13, exponent = magnitude & exponent_mask;
  I normal = magnitude + rebase + (exponent == exponent_mask ? (I)rebase : (I)0);
  F small = (F)(magnitude + rebase + (1 << 23)) - kist_float_of_bits(113u << 23);
  I bits = exponent == 0 ? (I)small : normal;
  return (F)(bits | (half & 0x8000) << 16);
}

/// Number `i` of each of 16 runs of numbers: `columns[i][lane] = runs[lane][i]`.
INLINE void KERNEL(gather_columns)(const float *const runs[LANES], int count, F *columns) {
  for (int i = 0; i < count; i += 4) {
    F x[4];
    UNROLL for (int lane = 0; lane < LANES; lane++) {
      UNROLL for (int k = 0; k < 4; k++) x[k][lane] = runs[lane][i + k];
    }
    UNROLL for (int k = 0; k < 4; k++) columns[i + k] = x[k];
  }
}

/// Byte `i` of each of the first `lanes` blocks: `blocks[lane][i] = columns[i][lane]`.
INLINE void KERNEL(scatter_bytes)(const B *columns, int size, int lanes, uint8_t *blocks) {
  for (int lane = 0; lane < lanes; lane++)
    for (int i = 0; i < size; i++) blocks[lane * size + i] = ((const uint8_t *)&columns[i])[lane];
}

INLINE void KERNEL(set_half)(B *columns, I half) {
  columns[0] = KERNEL(bytes_of)(half);
  columns[1] = KERNEL(bytes_of)(half >> 8);
}
