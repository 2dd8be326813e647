#include "COpenBLAS.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// As in cblas.h, with 32-bit integers.
enum { row_major = 101, plain = 111, transposed = 112 };
typedef void sgemm_function(
    int order, int a_form, int b_form, int m, int n, int k, float alpha, const float *a, int a_stride, const float *b,
    int b_stride, float beta, float *c, int c_stride);

static sgemm_function *sgemm;

/// OpenBLAS before 0.3.25 runs a processor newer than itself as a Prescott of 2004, many times slower (its issue 4267): then it
/// is asked to choose again, among the kernels that the processor can run. A build for one processor has no choice.
static void choose_kernels(void *library) {
#if defined(__x86_64__)
  char *(*name)(void) = dlsym(library, "openblas_get_corename");
  void (*choose)(void) = dlsym(library, "gotoblas_dynamic_init");
  void (*forget)(void) = dlsym(library, "gotoblas_dynamic_quit");
  if (!name || !choose || !forget || getenv("OPENBLAS_CORETYPE")) return;
  if (strcmp(name(), "Prescott") != 0 || !__builtin_cpu_supports("avx2")) return;
  int is_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  setenv("OPENBLAS_CORETYPE", is_avx512 ? "SkylakeX" : "Haswell", 1);
  forget();
  choose();
  unsetenv("OPENBLAS_CORETYPE");
#endif
}

const char *kist_openblas_load(const char *name) {
  void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
  if (!library) return dlerror();
  sgemm_function *found = dlsym(library, "cblas_sgemm");
  void (*set_thread_count)(int) = dlsym(library, "openblas_set_num_threads");
  if (!found || !set_thread_count) {
    dlclose(library);
    return "it is not OpenBLAS";
  }
  choose_kernels(library);
  set_thread_count(1);
  sgemm = found;
  return NULL;
}

void kist_sgemm(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride) {
  sgemm(row_major, plain, plain, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}

void kist_sgemm_transposed(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride) {
  sgemm(row_major, plain, transposed, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}

void kist_sgemm_first_transposed(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride) {
  sgemm(row_major, transposed, plain, m, n, k, alpha, a, a_stride, b, b_stride, beta, c, c_stride);
}
