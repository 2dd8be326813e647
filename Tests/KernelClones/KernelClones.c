#include "KernelClones.h"

#include "CKernels.h"

#define AS_CALLED(RESULT, NAME, PARAMETERS) .NAME = kist_##NAME,

#if defined(__x86_64__)

// The names that clang gives to what KIST_CLONES (Clones.h) asks for.
#define DECLARE(RESULT, NAME, PARAMETERS)                                              \
  extern RESULT NAME##_v4 PARAMETERS __asm__("kist_" #NAME ".arch_x86-64-v4.0");       \
  extern RESULT NAME##_v3 PARAMETERS __asm__("kist_" #NAME ".arch_x86-64-v3.1");       \
  extern RESULT NAME##_default PARAMETERS __asm__("kist_" #NAME ".default.2");
KIST_KERNELS(DECLARE)

#define FOR_V4(RESULT, NAME, PARAMETERS) .NAME = NAME##_v4,
#define FOR_V3(RESULT, NAME, PARAMETERS) .NAME = NAME##_v3,
#define FOR_DEFAULT(RESULT, NAME, PARAMETERS) .NAME = NAME##_default,

size_t kist_get_kernel_clones(kist_kernel_clones clones[4]) {
  size_t count = 0;
  clones[count++] = (kist_kernel_clones){.processor = "this", KIST_KERNELS(AS_CALLED)};
  clones[count++] = (kist_kernel_clones){.processor = "any x86-64", KIST_KERNELS(FOR_DEFAULT)};
  if (__builtin_cpu_supports("x86-64-v3")) {
    clones[count++] = (kist_kernel_clones){.processor = "x86-64-v3", KIST_KERNELS(FOR_V3)};
  }
  if (__builtin_cpu_supports("x86-64-v4")) {
    clones[count++] = (kist_kernel_clones){.processor = "x86-64-v4", KIST_KERNELS(FOR_V4)};
  }
  return count;
}

#else

size_t kist_get_kernel_clones(kist_kernel_clones clones[4]) {
  clones[0] = (kist_kernel_clones){.processor = "this", KIST_KERNELS(AS_CALLED)};
  return 1;
}

#endif
