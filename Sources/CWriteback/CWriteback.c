// Glibc's module does not show Swift sync_file_range, which is Linux's own.

#define _GNU_SOURCE
#include "CWriteback.h"

#include <fcntl.h>

void kist_start_writeback(int descriptor, int64_t offset, int64_t length) {
#ifdef SYNC_FILE_RANGE_WRITE
  sync_file_range(descriptor, offset, length, SYNC_FILE_RANGE_WRITE);
#endif
}
