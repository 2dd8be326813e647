#include "Levels.h"

#define KIST_HAS_SHUFFLE 0
#define KIST_HAS_PERMUTE 0
#define KERNEL(NAME) kist_baseline_##NAME
#include "Kernels.h"
