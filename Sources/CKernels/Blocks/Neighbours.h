// For every point that a rounded group of numbers can be: its place in a grid, or the grid's points next to it.

#ifndef KIST_NEIGHBOURS_H
#define KIST_NEIGHBOURS_H

#include <stdint.h>

/// A point that is on the grid, or has neighbours there.
typedef struct {
  int16_t place;    // in the grid; -1 when it is not on it
  uint16_t length;  // of the list of neighbours
  uint32_t start;   // of the list, which is filled up with its first to a multiple of 16
} kist_grid_point;

typedef struct {
  kist_grid_point *points;
  uint16_t *neighbours;  // codes of grid points: the nearest first, of equally near ones by their places
  int bits;              // of a number in a code
} kist_grid;

enum {
  kist_iq2_xxs_grid, kist_iq2_xs_grid, kist_iq2_s_grid, kist_iq1_grid, kist_iq3_xxs_grid, kist_iq3_s_grid,
  kist_grid_count
};

/// Built at first use, by one thread. NULL when there is no memory for it.
const kist_grid *kist_find_grid(int which);

/// Place of 4 digits to base 3 among all of them, by their code of 2 bits each.
extern const uint8_t kist_ternary_places[256];

/// The point of a code: codes of 2-bit grids have digits to base 3.
static inline const kist_grid_point *kist_point_of_code(const kist_grid *grid, unsigned code) {
  return &grid->points[grid->bits == 3 ? code : kist_ternary_places[code & 255] + 81u * kist_ternary_places[code >> 8]];
}

#endif
