/*
 * slowblas.c
 *	  Telling that the BLAS at hand makes dense models slow.
 *
 * The reference implementation is what a machine has on which nobody has chosen one.  It
 * computes the same in many times the time, and nothing else would say why.
 */
#include "postgres.h"

#include "access/parallel.h"
#include "core/dense/blas.h"
#include "source/train/slowblas.h"
#include "utils/guc.h"

static bool blas_warning = true;

void
RecsysInitSlowBlas(void)
{
	DefineCustomBoolVariable("recsys.blas_warning",
							 "Warns when dense models are trained with a slow BLAS library.",
							 "Once a session, at the first training of ease, spectral or als.",
							 &blas_warning, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
}

void
RecsysWarnOfSlowBlas(void)
{
	static bool warned = false;
	char	   *file;

	if (warned || !blas_warning || IsParallelWorker())
		return;
	if (RecsysBlasLibrary(&file) == NULL)
		ereport(WARNING,
				(errmsg("dense models train slowly with the BLAS library \"%s\"", file),
				 errdetail("It seems to be the reference implementation, which takes many times as long as an optimized one."),
				 errhint("Install one: on Debian and Ubuntu \"apt-get install libopenblas0-serial\"; new sessions use it. Or SET recsys.blas_warning = off.")));
	pfree(file);
	warned = true;
}
