// Writing to the disk while a file is being made.

#ifndef KIST_WRITEBACK_H
#define KIST_WRITEBACK_H

#include <stdint.h>

/// Lets the system begin to write a range of a file to its disk, and does not wait for it: a later fsync finds less to do.
/// Only advice, so that nothing is said where it can't be done.
void kist_start_writeback(int descriptor, int64_t offset, int64_t length);

#endif
