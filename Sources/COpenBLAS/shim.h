// cblas_sgemm, cblas_sgemv, openblas_set_num_threads.
#ifndef KIST_COPENBLAS_H
#define KIST_COPENBLAS_H

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

// What OpenBLAS built for many processors calls to choose its kernels; not there in a build for one.
extern void gotoblas_dynamic_init(void) __attribute__((weak));
extern void gotoblas_dynamic_quit(void) __attribute__((weak));

/// To be called once, before any other thread uses the library: makes each call run on the caller's thread alone, and
/// chooses kernels that suit the processor. OpenBLAS before 0.3.25 runs a processor newer than itself as a Prescott of 2004,
/// many times slower (its issue 4267): then it is asked to choose again, among those that the processor can run.
static inline void kist_openblas_prepare(void) {
#if defined(__x86_64__)
  int chooses = gotoblas_dynamic_init && gotoblas_dynamic_quit && !getenv("OPENBLAS_CORETYPE");
  if (chooses && !strcmp(openblas_get_corename(), "Prescott") && __builtin_cpu_supports("avx2")) {
    int is_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    setenv("OPENBLAS_CORETYPE", is_avx512 ? "SkylakeX" : "Haswell", 1);
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    unsetenv("OPENBLAS_CORETYPE");
  }
#endif
  openblas_set_num_threads(1);
}

#endif
