/*
 * blaskind.h
 *	  Which implementation of BLAS a library is.
 */
#ifndef RECSYS_BLASKIND_H
#define RECSYS_BLASKIND_H

#include "core/base/platform.h"

/* Does the library, or one that it is linked with, define the symbol? */
typedef bool (*RecsysBlasHasSymbol) (void *arg, const char *symbol);

/*
 * The name of the implementation behind a library's file, links resolved: "OpenBLAS",
 * "BLIS", …; NULL when nothing says that it is one of those made to be fast.  That is
 * the reference implementation, or one that is not known here.
 */
extern const char *RecsysBlasKind(const char *file, RecsysBlasHasSymbol has, void *arg);

#endif							/* RECSYS_BLASKIND_H */
