/*
 * slowblas.h
 *	  Telling that the BLAS at hand makes dense models slow.
 */
#ifndef RECSYS_SLOWBLAS_H
#define RECSYS_SLOWBLAS_H

/* Called once, from _PG_init. */
extern void RecsysInitSlowBlas(void);

/* A WARNING, once a session, unless the library is one that is made to be fast. */
extern void RecsysWarnOfSlowBlas(void);

#endif							/* RECSYS_SLOWBLAS_H */
