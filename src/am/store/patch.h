/*
 * patch.h
 *	  Changing a few known bytes of one page.
 */
#ifndef RECSYS_PATCH_H
#define RECSYS_PATCH_H

#include "postgres.h"

#include "storage/buf.h"
#include "utils/rel.h"

#define RECSYS_MAX_PATCHES 4
#define RECSYS_MAX_PATCH_BYTES (BLCKSZ / 2)

/* length bytes at dest, which lies on the page below pd_lower or above pd_upper */
typedef struct RecsysPatch
{
	char	   *dest;
	const void *data;
	uint16		length;
} RecsysPatch;

/*
 * Applies and logs the patches in one atomic step.  The buffer is exclusively
 * locked; at most RECSYS_MAX_PATCHES with RECSYS_MAX_PATCH_BYTES in all.
 */
extern void RecsysPatchPage(Relation index, Buffer buffer, const RecsysPatch *patches, int npatches);

/* The same of two pages in one step; a standby locks them in this order. */
extern void RecsysPatchPages(Relation index, Buffer first, const RecsysPatch *patches, int npatches,
							 Buffer second, const RecsysPatch *others, int nothers);

#endif							/* RECSYS_PATCH_H */
