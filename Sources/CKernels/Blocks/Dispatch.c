#include "Levels.h"

int kist_best_level(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2")) return 0;
  int has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
    && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return has_avx512 ? 2 : 1;
#else
  return 0;
#endif
}

const kist_block_kernels *kist_find_block_kernels(int level, uint32_t ggml_type) {
  if (ggml_type >= kist_ggml_type_count || level < 0 || level > kist_best_level()) return NULL;
  const kist_block_kernels *kernels = kist_baseline_kernels;
#if defined(__x86_64__)
  if (level == 1) kernels = kist_avx2_kernels;
  if (level == 2) kernels = kist_avx512_kernels;
#endif
  return kernels[ggml_type].dequantize ? &kernels[ggml_type] : NULL;
}
