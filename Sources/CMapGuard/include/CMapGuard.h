// A guard for memory-mapped files.
//
// When another process cuts a mapped file short, or a disk fails, touching a lost page raises SIGBUS, which would end
// the process. The handler here puts a page of zeros in the place of a lost page of a *registered* mapping and notes
// it, so that the reader goes on to find zeros and can then ask whether they are real.
// Any other SIGBUS goes to the handler that was there before.

#ifndef KIST_MAP_GUARD_H
#define KIST_MAP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/// Registers a mapping. Returns a slot number, or -1 when the table (4096 mappings) is full.
int kist_map_guard_register(const void *base, size_t length);

/// Forgets a mapping, before it is unmapped.
void kist_map_guard_unregister(int slot);

/// True once a page of the mapping was lost.
bool kist_map_guard_lost(int slot);

#endif
