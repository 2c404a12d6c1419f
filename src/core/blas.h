/*
 * blas.h
 *	  The few routines of BLAS and LAPACK that the dense models call.
 *
 * By their Fortran names, which every implementation has behind the system's
 * libblas.so.3 and liblapack.so.3.  Matrices are column-major: a row-major
 * n x k array is the k x n matrix.  Lengths of strings are passed the way Fortran
 * compilers expect them; implementations in C do not look at them.
 *
 * One call should stay well below a second: a backend that waits in one does not
 * notice that it was canceled.
 */
#ifndef RECSYS_BLAS_H
#define RECSYS_BLAS_H

#include "core/platform.h"

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

#endif							/* RECSYS_BLAS_H */
