#include "../include/BlockKernels.h"
#include "Neighbours.h"
#include "Grids.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Source: iq2xs_init_impl and iq3xs_init_impl of llama.cpp's ggml-quants.c.

enum { longest_distance = 4 * 49 };

/// The grid, its size, bits of a number, and how many different distances count as near.
static const struct {
  const uint16_t *codes;
  int count, bits, distances;
} sources[kist_grid_count] = {
  {kist_grid_iq2_xxs, 256, 2, 2}, {kist_grid_iq2_xs, 512, 2, 2},  {kist_grid_iq2_s, 1024, 2, 1},
  {kist_grid_iq1, 2048, 2, 3},    {kist_grid_iq3_xxs, 256, 3, 2}, {kist_grid_iq3_s, 512, 3, 3},
};

static kist_grid grids[kist_grid_count];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/// The squared distance of two points.
static int distance(unsigned a, unsigned b, int bits) {
  if (bits == 2) {
    // A number differs by 1 when the lowest bits differ, by 2 when only the highest do.
    unsigned different = a ^ b, by_one = different & 0x5555, by_two = different & 0xAAAA & ~(by_one << 1);
    return __builtin_popcount(by_one) + 4 * __builtin_popcount(by_two);
  }
  int sum = 0;
  for (int i = 0; i < 12; i += 3) {
    int difference = (int)(a >> i & 7) - (int)(b >> i & 7);
    sum += difference * difference;
  }
  return sum;
}

enum { longest_list = 2048 };

/// Writes the list of a code's neighbours.
static int list_neighbours(int which, unsigned code, uint16_t list[longest_list]) {
  int count = sources[which].count, bits = sources[which].bits, places_at[longest_distance + 1] = {0};
  uint8_t distances[longest_list];
  for (int i = 0; i < count; i++) {
    distances[i] = (uint8_t)distance(code, sources[which].codes[i], bits);
    places_at[distances[i]]++;
  }
  int length = 0, near = 0;
  for (int d = 0; d <= longest_distance && near < sources[which].distances; d++) {
    if (places_at[d] == 0) continue;
    near++;
    for (int i = 0; i < count; i++)
      if (distances[i] == d) list[length++] = sources[which].codes[i];
  }
  return length;
}

/// The code whose point has a place among all points.
static unsigned code_of_point(int point, int bits) {
  if (bits == 3) return (unsigned)point;
  unsigned code = 0;
  for (int i = 0; i < 8; i++, point /= 3) code |= (unsigned)(point % 3) << 2 * i;
  return code;
}

static int build(int which) {
  int bits = sources[which].bits, count = bits == 3 ? 4096 : 6561;
  kist_grid grid = {calloc((size_t)count, sizeof(kist_grid_point)), NULL, bits};
  if (!grid.points) return 0;
  for (int i = 0; i < count; i++) grid.points[i].place = -1;
  for (int i = 0; i < sources[which].count; i++) {
    kist_grid_point *point = (kist_grid_point *)kist_point_of_code(&grid, sources[which].codes[i]);
    point->place = (int16_t)i;
  }
  size_t total = 0, room = 0;
  for (int i = 0; i < count; i++) {
    if (grid.points[i].place >= 0) continue;
    if (room < total + longest_list + 16) {
      room = 2 * (total + longest_list);
      uint16_t *larger = realloc(grid.neighbours, room * sizeof(uint16_t));
      if (!larger) {
        free(grid.points);
        free(grid.neighbours);
        return 0;
      }
      grid.neighbours = larger;
    }
    uint16_t *list = grid.neighbours + total;
    int length = list_neighbours(which, code_of_point(i, bits), list);
    grid.points[i].start = (uint32_t)total;
    grid.points[i].length = (uint16_t)length;
    for (; length % 16 != 0; length++) list[length] = list[0];
    total += (size_t)length;
  }
  grids[which] = grid;
  return 1;
}

const kist_grid *kist_find_grid(int which) {
  pthread_mutex_lock(&lock);
  int is_built = grids[which].points != NULL || build(which);
  pthread_mutex_unlock(&lock);
  return is_built ? &grids[which] : NULL;
}

uint16_t kist_grid_code(int grid, int place) { return sources[grid].codes[place]; }
