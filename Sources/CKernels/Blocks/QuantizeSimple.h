// Quantization with one scale per block, without a search: 16 numbers of a block at a time, where the order of
// operations does not matter.
//
// Source: quantize_row_..._ref of llama.cpp's ggml-quants.c. NaNs are passed over when a scale is looked for.

INLINE F KERNEL(load_numbers)(const float *x) {
  F numbers;
  memcpy(&numbers, x, sizeof(numbers));
  return numbers;
}

typedef float KERNEL(f8) __attribute__((ext_vector_type(8)));
typedef float KERNEL(f4) __attribute__((ext_vector_type(4)));

/// The greatest number of all lanes, none of which is a NaN.
INLINE float KERNEL(greatest_lane)(F x) {
  KERNEL(f8) a = x.lo, b = x.hi, c = a > b ? a : b;
  KERNEL(f4) d = c.lo, e = c.hi, f = d > e ? d : e;
  float g = f.x > f.y ? f.x : f.y, h = f.z > f.w ? f.z : f.w;
  return g > h ? g : h;
}

/// The greatest magnitude of `count` numbers.
INLINE float KERNEL(greatest_magnitude)(const float *x, int count) {
  F greatest = (F)(0.f);
  for (int i = 0; i < count; i += LANES) {
    F size = KERNEL(magnitude)(KERNEL(load_numbers)(x + i));
    greatest = size > greatest ? size : greatest;
  }
  return KERNEL(greatest_lane)(greatest);
}

/// The first of `count` numbers, at most 32, for which its mask is set; `otherwise` when there is none.
INLINE float KERNEL(first_where)(const float *x, I low, I high, float otherwise) {
  typedef _Bool bits __attribute__((ext_vector_type(16)));
  bits low_bits = __builtin_convertvector(low, bits), high_bits = __builtin_convertvector(high, bits);
  uint16_t a, b;
  memcpy(&a, &low_bits, 2);
  memcpy(&b, &high_bits, 2);
  uint32_t mask = a | (uint32_t)b << 16;
  return mask ? x[__builtin_ctz(mask)] : otherwise;
}

/// The number of the greatest magnitude of 32, the first of them.
INLINE float KERNEL(extreme_of_32)(const float *x) {
  F a = KERNEL(magnitude)(KERNEL(load_numbers)(x)), b = KERNEL(magnitude)(KERNEL(load_numbers)(x + 16));
  float greatest = KERNEL(greatest_magnitude)(x, 32);
  return greatest > 0 ? KERNEL(first_where)(x, a == greatest, b == greatest, 0) : 0;
}

/// Cuts off what follows the point; numbers beyond an int32, and NaNs, give its least, as on x86.
INLINE I KERNEL(truncate)(F x) {
  I fits = (x < 0x1p31f) & (x >= -0x1p31f);
  return fits ? __builtin_convertvector(fits ? x : KERNEL(spread)(0), I) : (I)INT32_MIN;
}

/// Rounds halves away from zero; for numbers of at most 2^22.
INLINE I KERNEL(round_away)(F x) {
  const F below_half = (F)(0x1.fffffep-2f);
  return KERNEL(truncate)(x + (F)((I)below_half | ((I)x & INT32_MIN)));
}

INLINE void KERNEL(put_half)(kist_half *half, float x) {
  uint16_t bits = (uint16_t)KERNEL(half_of)(KERNEL(spread)(x))[0];
  half->bytes[0] = (uint8_t)bits;
  half->bytes[1] = (uint8_t)(bits >> 8);
}

INLINE void KERNEL(store_bytes)(void *bytes, B x) { memcpy(bytes, &x, sizeof(x)); }

INLINE float KERNEL(inverse)(float x) { return x != 0 ? 1.f / x : 0; }

/// 16 bits, one for each lane that is set.
INLINE uint16_t KERNEL(bits_of)(I mask) {
  typedef _Bool bits __attribute__((ext_vector_type(16)));
  bits packed = __builtin_convertvector(mask, bits);
  uint16_t result;
  memcpy(&result, &packed, 2);
  return result;
}

/// The fifth bits and the lower four of 32 numbers.
INLINE void KERNEL(put_fives)(uint8_t high[4], uint8_t low[16], I a, I b) {
  uint32_t bits = KERNEL(bits_of)((a & 16) != 0) | (uint32_t)KERNEL(bits_of)((b & 16) != 0) << 16;
  memcpy(high, &bits, 4);
  KERNEL(store_bytes)(low, KERNEL(bytes_of)((a & 15) | (b & 15) << 4));
}

/// Into a signed byte and at most `highest`.
INLINE I KERNEL(byte_at_most)(I x, int highest) { return __builtin_elementwise_min(x << 24 >> 24, (I)highest); }

INLINE void KERNEL(quantize_block_q4_0)(const float *x, kist_q4_0 *y) {
  float d = KERNEL(extreme_of_32)(x) / -8.f, id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  I a = KERNEL(byte_at_most)(KERNEL(truncate)(KERNEL(load_numbers)(x) * id + 8.5f), 15);
  I b = KERNEL(byte_at_most)(KERNEL(truncate)(KERNEL(load_numbers)(x + 16) * id + 8.5f), 15);
  KERNEL(store_bytes)(y->qs, KERNEL(bytes_of)(a | b << 4));
}

INLINE void KERNEL(quantize_block_q5_0)(const float *x, kist_q5_0 *y) {
  float d = KERNEL(extreme_of_32)(x) / -16.f, id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  I a = KERNEL(byte_at_most)(KERNEL(truncate)(KERNEL(load_numbers)(x) * id + 16.5f), 31);
  I b = KERNEL(byte_at_most)(KERNEL(truncate)(KERNEL(load_numbers)(x + 16) * id + 16.5f), 31);
  KERNEL(put_fives)(y->qh, y->qs, a, b);
}

/// The least and the greatest of 32 numbers, of zeros the first.
INLINE void KERNEL(range_of_32)(const float *x, float *least, float *greatest) {
  F a = KERNEL(load_numbers)(x), b = KERNEL(load_numbers)(x + 16);
  F low = a < FLT_MAX ? a : KERNEL(spread)(FLT_MAX), high = a > -FLT_MAX ? a : KERNEL(spread)(-FLT_MAX);
  low = b < low ? b : low;
  high = b > high ? b : high;
  float l = -KERNEL(greatest_lane)(-low), h = KERNEL(greatest_lane)(high);
  *least = KERNEL(first_where)(x, a == l, b == l, l);
  *greatest = KERNEL(first_where)(x, a == h, b == h, h);
}

INLINE void KERNEL(quantize_block_q4_1)(const float *x, kist_q4_1 *y) {
  float low, high;
  KERNEL(range_of_32)(x, &low, &high);
  float d = (high - low) / 15.f, id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  KERNEL(put_half)(&y->m, low);
  I a = KERNEL(byte_at_most)(KERNEL(truncate)((KERNEL(load_numbers)(x) - low) * id + 0.5f), 15);
  I b = KERNEL(byte_at_most)(KERNEL(truncate)((KERNEL(load_numbers)(x + 16) - low) * id + 0.5f), 15);
  KERNEL(store_bytes)(y->qs, KERNEL(bytes_of)(a | b << 4));
}

INLINE void KERNEL(quantize_block_q5_1)(const float *x, kist_q5_1 *y) {
  float low, high;
  KERNEL(range_of_32)(x, &low, &high);
  float d = (high - low) / 31.f, id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  KERNEL(put_half)(&y->m, low);
  I a = KERNEL(truncate)((KERNEL(load_numbers)(x) - low) * id + 0.5f);
  I b = KERNEL(truncate)((KERNEL(load_numbers)(x + 16) - low) * id + 0.5f);
  KERNEL(put_fives)(y->qh, y->qs, a, b);
}

INLINE void KERNEL(quantize_block_q8_0)(const float *x, kist_q8_0 *y) {
  float d = KERNEL(greatest_magnitude)(x, 32) / 127.f, id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  for (int i = 0; i < 32; i += LANES)
    KERNEL(store_bytes)(y->qs + i, KERNEL(bytes_of)(KERNEL(round_away)(KERNEL(load_numbers)(x + i) * id)));
}

INLINE void KERNEL(quantize_block_q2_0)(const float *x, kist_q2_0 *y) {
  float d = KERNEL(greatest_magnitude)(x, 64), id = d > 0 ? 1.f / d : 0;
  KERNEL(put_half)(&y->d, d);
  for (int i = 0; i < 64; i += LANES) {
    const I places = {0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30};
    I q = KERNEL(clamp)(KERNEL(round_away)(KERNEL(load_numbers)(x + i) * id), -1, 2) + 1;
    uint32_t packed = (uint32_t)__builtin_reduce_or(q << places);
    memcpy(y->qs + i / 4, &packed, 4);
  }
}

/// The places in E2M1's values that come nearest to x, with a scale, the first of them.
INLINE I KERNEL(nearest_e2m1)(F x, float scale) {
  F error = KERNEL(magnitude)((float)kist_doubled_e2m1[0] * scale - x);
  I place = (I)0;
  UNROLL for (int i = 1; i < 16; i++) {
    F new_error = KERNEL(magnitude)((float)kist_doubled_e2m1[i] * scale - x);
    I nearer = new_error < error;
    error = nearer ? new_error : error;
    place = nearer ? (I)i : place;
  }
  return place;
}

INLINE void KERNEL(quantize_block_mxfp4)(const float *x, kist_mxfp4 *y) {
  float greatest = KERNEL(greatest_magnitude)(x, 32);
  // Below the least exponent it wraps around, as on x86.
  y->e = greatest > 0 ? (uint8_t)(int)(floorf(log2f(greatest)) - 2 + 127) : 0;
  float d = kist_half_of_e8m0(y->e);
  I a = KERNEL(nearest_e2m1)(KERNEL(load_numbers)(x), d), b = KERNEL(nearest_e2m1)(KERNEL(load_numbers)(x + 16), d);
  KERNEL(store_bytes)(y->qs, KERNEL(bytes_of)(a | b << 4));
}

/// To an unsigned E4M3 number, of twice the value that kist_half_of_ue4m3 gives back.
INLINE uint8_t KERNEL(ue4m3_of)(float x) {
  if (!(x > 0)) return 0;
  if (x > 448.f) x = 448.f;
  uint32_t bits = kist_bits_of_float(x);
  int exponent = (int)(bits >> 23 & 255) - 127 + 7, mantissa = (int)(bits >> 20 & 7);
  if (exponent <= 0) {
    int number = (int)(x * 512.f + 0.5f);
    return (uint8_t)(number > 7 ? 7 : number);
  }
  mantissa += (int)(bits >> 19 & 1);
  if (mantissa > 7) {
    mantissa = 0;
    exponent++;
  }
  return (uint8_t)(exponent >= 15 ? 0x7E : exponent << 3 | mantissa);
}

INLINE void KERNEL(quantize_block_nvfp4)(const float *x, kist_nvfp4 *y) {
  for (int s = 0; s < 4; s++) {
    y->d[s] = KERNEL(ue4m3_of)(KERNEL(greatest_magnitude)(x + 16 * s, 16) / 6.f);
    B q = KERNEL(bytes_of)(KERNEL(nearest_e2m1)(KERNEL(load_numbers)(x + 16 * s), kist_half_of_ue4m3(y->d[s])));
    B packed = q | __builtin_shufflevector(q, q, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15) << 4;
    memcpy(y->qs + 8 * s, &packed, 8);
  }
}

/// -1, 0 or 1 as 0, 1 or 2.
INLINE I KERNEL(ternary)(const float *x, float id) {
  I digit = KERNEL(round_away)(KERNEL(load_numbers)(x) * id);
  return (digit == INT32_MIN ? (I)0 : digit) + 1;
}

/// 5 digits to base 3 as a fraction of 256, rounded up.
INLINE B KERNEL(ternary_fraction)(I number) { return KERNEL(bytes_of)(((number & 255) * 256 + 242) / 243); }

INLINE void KERNEL(quantize_block_tq1_0)(const float *x, kist_tq1_0 *y) {
  float d = KERNEL(greatest_magnitude)(x, 256), id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  for (int run = 0; run < 3; run++) {
    // Digits lie 32 apart for the first 32 bytes, 16 apart for the last 16.
    int first = run < 2 ? 16 * run : 160, stride = run < 2 ? 32 : 16;
    I number = (I)0;
    for (int n = 0; n < 5; n++) number = number * 3 + KERNEL(ternary)(x + first + stride * n, id);
    KERNEL(store_bytes)(y->qs + 16 * run, KERNEL(ternary_fraction)(number));
  }
  I digits = KERNEL(ternary)(x + 240, id), number = (I)0;
  for (int j = 0; j < 4; j++)
    number[j] = ((digits[j] * 3 + digits[j + 4]) * 3 + digits[j + 8]) * 9 + digits[j + 12] * 3;
  B fractions = KERNEL(ternary_fraction)(number);
  memcpy(y->qh, &fractions, 4);
}

INLINE void KERNEL(quantize_block_tq2_0)(const float *x, kist_tq2_0 *y) {
  float d = KERNEL(greatest_magnitude)(x, 256), id = KERNEL(inverse)(d);
  KERNEL(put_half)(&y->d, d);
  for (int run = 0; run < 4; run++) {
    const float *numbers = x + run / 2 * 128 + run % 2 * 16;
    I packed = (I)0;
    for (int n = 0; n < 4; n++) packed |= (KERNEL(ternary)(numbers + 32 * n, id) & 3) << 2 * n;
    KERNEL(store_bytes)(y->qs + 16 * run, KERNEL(bytes_of)(packed));
  }
}

/// Quantizes all blocks of rows, which know nothing of each other. An importance matrix makes no difference.
#define QUANTIZE_BLOCKS(TYPE, COUNT)                                                                    \
  static void KERNEL(quantize_plain_##TYPE)(                                                            \
    const float *x, size_t rows, size_t columns, const float *importance, void *blocks) {               \
    (void)importance;                                                                                   \
    kist_##TYPE *y = blocks;                                                                            \
    size_t count = rows * columns / COUNT;                                                              \
    for (size_t i = 0; i < count; i++) KERNEL(quantize_block_##TYPE)(x + COUNT * i, y + i);             \
  }

QUANTIZE_BLOCKS(q4_0, 32)
QUANTIZE_BLOCKS(q4_1, 32)
QUANTIZE_BLOCKS(q5_0, 32)
QUANTIZE_BLOCKS(q5_1, 32)
QUANTIZE_BLOCKS(q8_0, 32)
QUANTIZE_BLOCKS(q2_0, 64)
QUANTIZE_BLOCKS(mxfp4, 32)
QUANTIZE_BLOCKS(nvfp4, 64)
QUANTIZE_BLOCKS(tq1_0, 256)
QUANTIZE_BLOCKS(tq2_0, 256)
