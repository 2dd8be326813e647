#define _GNU_SOURCE
#include "CMapGuard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

enum { slot_count = 4096 };

// A slot is free while its base is 0. The length is stored before the base, and the handler reads them in the other
// order, so it never sees a base with another mapping's length.
static struct {
  atomic_uintptr_t base;
  atomic_size_t length;
  atomic_bool lost;
} slots[slot_count];

static struct sigaction previous;
static pthread_mutex_t slots_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t installed = PTHREAD_ONCE_INIT;
static uintptr_t page_size;

// Only async-signal-safe work: atomics and the mmap system call.
static void on_sigbus(int signal, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  for (int slot = 0; slot < slot_count; slot++) {
    uintptr_t base = atomic_load(&slots[slot].base);
    if (base == 0 || address < base || address - base >= atomic_load(&slots[slot].length)) continue;
    int saved = errno;
    void *page = (void *)(address & ~(page_size - 1));
    void *zeros = mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    errno = saved;
    if (zeros == MAP_FAILED) break;
    atomic_store(&slots[slot].lost, true);
    return;
  }
  if (previous.sa_flags & SA_SIGINFO) {
    previous.sa_sigaction(signal, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(signal);
  } else {
    // Returning runs the faulting instruction again, now with the default action.
    sigaction(SIGBUS, &previous, NULL);
  }
}

static void install(void) {
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  struct sigaction action = {0};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &previous);
}

int kist_map_guard_register(const void *base, size_t length) {
  pthread_once(&installed, install);
  pthread_mutex_lock(&slots_lock);
  int found = -1;
  for (int slot = 0; slot < slot_count; slot++) {
    if (atomic_load(&slots[slot].base) != 0) continue;
    atomic_store(&slots[slot].lost, false);
    atomic_store(&slots[slot].length, length);
    atomic_store(&slots[slot].base, (uintptr_t)base);
    found = slot;
    break;
  }
  pthread_mutex_unlock(&slots_lock);
  return found;
}

void kist_map_guard_unregister(int slot) {
  if (slot >= 0) atomic_store(&slots[slot].base, 0);
}

bool kist_map_guard_lost(int slot) {
  return slot >= 0 && atomic_load(&slots[slot].lost);
}
