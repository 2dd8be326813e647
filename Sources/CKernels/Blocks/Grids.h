// The constants of the block types.
//
// A grid is a set of points of 8 or 4 small whole numbers; a quantized block names a point by its place in it. A point
// is written as a code, the first number in the lowest bits: 2 bits a number in the grids of 8, 3 bits in those of 4.
// Each grid is in ascending order of its codes.

#ifndef KIST_GRIDS_H
#define KIST_GRIDS_H

#include <stdint.h>

/// Codes 0, 1, 2 mean 8, 25, 43.
extern const uint16_t kist_grid_iq2_xxs[256], kist_grid_iq2_xs[512], kist_grid_iq2_s[1024];
/// Codes 0, 1, 2 mean -1, 0, 1.
extern const uint16_t kist_grid_iq1[2048];
/// Codes mean 4, 12, 20, 28, 36, 44, 52, 62.
extern const uint16_t kist_grid_iq3_xxs[256];
/// Codes mean 1, 3, 5, 7, 9, 11, 13, 15.
extern const uint16_t kist_grid_iq3_s[512];

/// The values of IQ4_NL and IQ4_XS.
extern const int8_t kist_iq4_values[16];

/// Twice the values of OCP's E2M1.
extern const int8_t kist_doubled_e2m1[16];

/// 7 bits, and an eighth that makes their number even: the signs of 8 numbers.
extern const uint8_t kist_even_signs[128];

#endif
