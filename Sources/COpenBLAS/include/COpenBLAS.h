// The calls of OpenBLAS that Kist makes. The library is loaded when it is first needed: linked, its start would delay
// every command by 15 to 20 ms.

#ifndef KIST_COPENBLAS_H
#define KIST_COPENBLAS_H

/// Loads the library and prepares it: each call runs on its caller's thread alone, with kernels that suit the processor. To be
/// called until it succeeds, by one thread at a time, before the products below.
///
/// Returns null, or what is wrong, as the system says it.
const char *kist_openblas_load(const char *name);

// Matrices are row-major; a stride is the distance from one row to the next, in numbers.

/// c = alpha · a · b + beta · c; a: [m, k], b: [k, n], c: [m, n].
void kist_sgemm(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride);

/// c = alpha · a · bᵀ + beta · c; a: [m, k], b: [n, k], c: [m, n].
void kist_sgemm_transposed(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride);

/// c = alpha · aᵀ · b + beta · c; a: [k, m], b: [k, n], c: [m, n].
void kist_sgemm_first_transposed(
    int m, int n, int k, float alpha, const float *a, int a_stride, const float *b, int b_stride, float beta, float *c,
    int c_stride);

#endif
