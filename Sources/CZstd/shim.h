// libzstd with the calls it still labels experimental: compressSequences and its parameters (in Debian's 1.5.4).
#ifndef KIST_CZSTD_H
#define KIST_CZSTD_H

#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/// Makes `context` write blocks of literals exactly where it is told, always trying Huffman coding.
static inline size_t kist_zstd_use_literal_blocks(ZSTD_CCtx *context) {
  size_t status = ZSTD_CCtx_setParameter(context, ZSTD_c_blockDelimiters, ZSTD_sf_explicitBlockDelimiters);
  if (ZSTD_isError(status)) return status;
  return ZSTD_CCtx_setParameter(context, ZSTD_c_literalCompressionMode, ZSTD_ps_enable);
}

#endif
