/*
 * blas.h
 *	  The few routines of BLAS and LAPACK that the dense models call.
 *
 * By their Fortran names, which every implementation has behind the system's
 * libblas.so.3 and liblapack.so.3.  Matrices are column-major: a row-major
 * n x k array is the k x n matrix.  Lengths of strings are passed the way Fortran
 * compilers expect them; implementations in C do not look at them.
 *
 * They are loaded at the first call; a routine that is declared here is defined in
 * blas.c (or the module does not link).
 *
 * One call should stay well below a second: a backend that waits in one does not
 * notice that it was canceled.
 */
#ifndef RECSYS_BLAS_H
#define RECSYS_BLAS_H

#include "core/base/platform.h"

/* outside the module these names are the library's */
#ifndef RECSYS_STANDALONE
#pragma GCC visibility push(hidden)
#endif

extern void sgemm_(const char *transa, const char *transb, const int *m, const int *n,
				   const int *k, const float *alpha, const float *a, const int *lda,
				   const float *b, const int *ldb, const float *beta, float *c, const int *ldc,
				   size_t, size_t);
extern void sgemv_(const char *trans, const int *m, const int *n, const float *alpha,
				   const float *a, const int *lda, const float *x, const int *incx,
				   const float *beta, float *y, const int *incy, size_t);
extern void ssyrk_(const char *uplo, const char *trans, const int *n, const int *k,
				   const float *alpha, const float *a, const int *lda, const float *beta,
				   float *c, const int *ldc, size_t, size_t);
extern void spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t);
extern void spotrs_(const char *uplo, const int *n, const int *nrhs, const float *a,
					const int *lda, float *b, const int *ldb, int *info, size_t);
extern void spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t);
extern void ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda,
					float *w, float *work, const int *lwork, int *iwork, const int *liwork,
					int *info, size_t, size_t);

#ifndef RECSYS_STANDALONE
#pragma GCC visibility pop

/*
 * Loads the libraries if need be.  Returns what the one with BLAS is, as RecsysBlasKind()
 * does, and its file, palloc'd.
 */
extern const char *RecsysBlasLibrary(char **file);
#endif

/* Lengths of ssyevd_'s work and iwork for the eigenvectors of a matrix of order n */
static inline Size
RecsysEigenWork(Size n)
{
	return 1 + 6 * n + 2 * n * n;
}

static inline Size
RecsysEigenIntegerWork(Size n)
{
	return 3 + 5 * n;
}

#endif							/* RECSYS_BLAS_H */
