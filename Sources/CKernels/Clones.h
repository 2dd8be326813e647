// Compiles a function once for each kind of processor; the loader picks one.

#ifndef KIST_CLONES_H
#define KIST_CLONES_H

#if defined(__x86_64__)
#define KIST_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define KIST_CLONES
#endif

#endif
