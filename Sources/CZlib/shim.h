// zlib, for the deflated entries of zip archives.
#ifndef KIST_CZLIB_H
#define KIST_CZLIB_H

#include <zlib.h>

/// `inflateInit2` of raw deflate data; zlib has it as a macro, which Swift does not see.
static inline int kist_inflate_init(z_stream *stream) { return inflateInit2(stream, -MAX_WBITS); }

#endif
