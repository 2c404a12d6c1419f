/*
 * blas.c
 *	  BLAS and LAPACK, loaded when a dense model first calls one of their routines.
 *
 * A module that is linked with them takes their tens of megabytes into every session
 * that only asks for recommendations, and into every parallel worker: some hundredths of a
 * second each time.  So the routines that blas.h declares are defined here, hidden
 * in the module, and pass their arguments on to the library's.
 *
 * Standalone programs are linked with the libraries in the usual way.
 */
#include "core/dense/blas.h"

#ifndef RECSYS_STANDALONE

#include <dlfcn.h>
#include <stdlib.h>

#include "core/dense/blaskind.h"

#ifndef RECSYS_BLAS_LIBRARY
#define RECSYS_BLAS_LIBRARY "libblas.so.3"
#endif
#ifndef RECSYS_LAPACK_LIBRARY
#define RECSYS_LAPACK_LIBRARY "liblapack.so.3"
#endif

static void *
open_library(const char *name)
{
	void	   *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FILE),
				 errmsg("could not load library \"%s\": %s", name, dlerror()),
				 errhint("Dense models need BLAS and LAPACK: install them, on Debian the package libopenblas0-serial.")));
	return library;
}

static void *libraries[2];

static void
open_libraries(void)
{
	if (libraries[0] == NULL)
		libraries[0] = open_library(RECSYS_BLAS_LIBRARY);
	if (libraries[1] == NULL)
		libraries[1] = open_library(RECSYS_LAPACK_LIBRARY);
}

static void *
find_routine(const char *name)
{
	void	   *routine;

	open_libraries();
	routine = dlsym(libraries[0], name);
	if (routine == NULL)
		routine = dlsym(libraries[1], name);
	if (routine == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_FUNCTION),
				 errmsg("could not find routine \"%s\" in \"%s\" or \"%s\"", name,
						RECSYS_BLAS_LIBRARY, RECSYS_LAPACK_LIBRARY)));
	return routine;
}

/* Libraries that it is linked with are looked at, too: Debian's libblas.so.3 is a small one before OpenBLAS. */
static bool
has_symbol(void *arg, const char *symbol)
{
	return dlsym(libraries[0], symbol) != NULL;
}

const char *
RecsysBlasLibrary(char **file)
{
	void	   *routine;
	Dl_info		info;
	char	   *resolved = NULL;

	open_libraries();
	routine = dlsym(libraries[0], "sgemm_");
	if (routine != NULL && dladdr(routine, &info) != 0 && info.dli_fname != NULL)
		resolved = realpath(info.dli_fname, NULL);
	*file = pstrdup(resolved != NULL ? resolved : RECSYS_BLAS_LIBRARY);
	free(resolved);
	return RecsysBlasKind(*file, has_symbol, NULL);
}

/* Pass on a call of a routine. */
#define PASS_ON(name, ...) \
	do { \
		static __typeof__(&name) routine; \
\
		if (routine == NULL) \
			routine = (__typeof__(&name)) find_routine(#name); \
		routine(__VA_ARGS__); \
	} while (0)

void
sgemm_(const char *transa, const char *transb, const int *m, const int *n, const int *k,
	   const float *alpha, const float *a, const int *lda, const float *b, const int *ldb,
	   const float *beta, float *c, const int *ldc, size_t length_a, size_t length_b)
{
	PASS_ON(sgemm_, transa, transb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc, length_a, length_b);
}

void
sgemv_(const char *trans, const int *m, const int *n, const float *alpha, const float *a,
	   const int *lda, const float *x, const int *incx, const float *beta, float *y,
	   const int *incy, size_t length)
{
	PASS_ON(sgemv_, trans, m, n, alpha, a, lda, x, incx, beta, y, incy, length);
}

void
ssyrk_(const char *uplo, const char *trans, const int *n, const int *k, const float *alpha,
	   const float *a, const int *lda, const float *beta, float *c, const int *ldc,
	   size_t length_u, size_t length_t)
{
	PASS_ON(ssyrk_, uplo, trans, n, k, alpha, a, lda, beta, c, ldc, length_u, length_t);
}

void
spotrf_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t length)
{
	PASS_ON(spotrf_, uplo, n, a, lda, info, length);
}

void
spotrs_(const char *uplo, const int *n, const int *nrhs, const float *a, const int *lda, float *b,
		const int *ldb, int *info, size_t length)
{
	PASS_ON(spotrs_, uplo, n, nrhs, a, lda, b, ldb, info, length);
}

void
spotri_(const char *uplo, const int *n, float *a, const int *lda, int *info, size_t length)
{
	PASS_ON(spotri_, uplo, n, a, lda, info, length);
}

void
ssyevd_(const char *jobz, const char *uplo, const int *n, float *a, const int *lda, float *w,
		float *work, const int *lwork, int *iwork, const int *liwork, int *info,
		size_t length_z, size_t length_u)
{
	PASS_ON(ssyevd_, jobz, uplo, n, a, lda, w, work, lwork, iwork, liwork, info, length_z, length_u);
}

#endif							/* RECSYS_STANDALONE */
