/*
 * armsums.h
 *	  The sums of an arm as an array, as the aggregate recsys.arm_sums makes it.
 */
#ifndef RECSYS_ARMSUMS_H
#define RECSYS_ARMSUMS_H

#include "postgres.h"

#include "core/decide/armtest.h"
#include "fmgr.h"

/* Units, sums of the columns, and sums of products by rows of the upper triangle */
#define RECSYS_ARM_SUMS_LENGTH (1 + RECSYS_UNIT_COLUMNS + RECSYS_UNIT_COLUMNS * (RECSYS_UNIT_COLUMNS + 1) / 2)

/* Errors out unless it is such an array; NULL is an arm without units. */
extern void RecsysArgArmSums(FunctionCallInfo fcinfo, int argument, const char *name,
							 RecsysArmSums *sums);

#endif							/* RECSYS_ARMSUMS_H */
