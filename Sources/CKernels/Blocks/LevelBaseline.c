#include "Levels.h"

#define KERNEL(NAME) kist_baseline_##NAME
#include "Kernels.h"
