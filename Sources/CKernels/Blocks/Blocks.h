// GGML's block types as they lie in memory, little-endian, at any address.
//
// Source: the block_ structs of llama.cpp's ggml-common.h (MIT licence), whose field names these have.

#ifndef KIST_BLOCKS_H
#define KIST_BLOCKS_H

#include <stdint.h>

/// An f16, as its bytes.
typedef struct { uint8_t bytes[2]; } kist_half;

typedef struct { kist_half d; uint8_t qs[16]; } kist_q1_0;                        // 128 numbers
typedef struct { kist_half d; uint8_t qs[16]; } kist_q2_0;                        // 64
typedef struct { kist_half d; uint8_t qs[16]; } kist_q4_0;                        // 32, as those down to q8_0
typedef struct { kist_half d, m; uint8_t qs[16]; } kist_q4_1;
typedef struct { kist_half d; uint8_t qh[4], qs[16]; } kist_q5_0;
typedef struct { kist_half d, m; uint8_t qh[4], qs[16]; } kist_q5_1;
typedef struct { kist_half d; int8_t qs[32]; } kist_q8_0;
typedef struct { kist_half d, s; int8_t qs[32]; } kist_q8_1;
typedef struct { kist_half d; uint8_t qs[16]; } kist_iq4_nl;
typedef struct { uint8_t e, qs[16]; } kist_mxfp4;
typedef struct { uint8_t d[4], qs[32]; } kist_nvfp4;                              // 64
typedef struct { uint8_t scales[16], qs[64]; kist_half d, dmin; } kist_q2_k;      // 256, as all that follow
typedef struct { uint8_t hmask[32], qs[64], scales[12]; kist_half d; } kist_q3_k;
typedef struct { kist_half d, dmin; uint8_t scales[12], qs[128]; } kist_q4_k;
typedef struct { kist_half d, dmin; uint8_t scales[12], qh[32], qs[128]; } kist_q5_k;
typedef struct { uint8_t ql[128], qh[64]; int8_t scales[16]; kist_half d; } kist_q6_k;
typedef struct { uint8_t d[4]; int8_t qs[256]; uint8_t bsums[32]; } kist_q8_k;
typedef struct { kist_half d; uint8_t qs[64]; } kist_iq2_xxs;
typedef struct { kist_half d; uint8_t qs[64], scales[8]; } kist_iq2_xs;
typedef struct { kist_half d; uint8_t qs[32], signs[32], qh[8], scales[8]; } kist_iq2_s;
typedef struct { kist_half d; uint8_t qs[64], scales_and_signs[32]; } kist_iq3_xxs;
typedef struct { kist_half d; uint8_t qs[64], qh[8], signs[32], scales[4]; } kist_iq3_s;
typedef struct { kist_half d; uint8_t qs[32], qh[16]; } kist_iq1_s;
typedef struct { uint8_t qs[32], qh[16], scales[8]; } kist_iq1_m;
typedef struct { kist_half d; uint8_t scales_h[2], scales_l[4], qs[128]; } kist_iq4_xs;
typedef struct { uint8_t qs[48], qh[4]; kist_half d; } kist_tq1_0;
typedef struct { uint8_t qs[64]; kist_half d; } kist_tq2_0;

#endif
