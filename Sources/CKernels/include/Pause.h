#ifndef KIST_PAUSE_H
#define KIST_PAUSE_H

/// Tells the processor that this thread only waits, so that another on the same core goes on.
static inline void kist_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

#endif
