/*
 * cellnumbers.h
 *	  Pairs of numbers, numbered in the order in which they come.
 */
#ifndef RECSYS_CELLNUMBERS_H
#define RECSYS_CELLNUMBERS_H

#include "core/base/platform.h"

typedef struct RecsysCellNumbers
{
	uint32		mask;
	uint32		count;
	uint32	   *slots;			/* an open hash table: number + 1; 0: free */
	uint32	   *left;			/* by number: the pair */
	uint32	   *right;
} RecsysCellNumbers;

/* Room for so many pairs. */
extern void RecsysCellNumbersCreate(RecsysCellNumbers *numbers, uint32 most);
extern void RecsysCellNumbersFree(RecsysCellNumbers *numbers);

/* The pair's number; it gets one if there is none.  The other one: RECSYS_NONE if there is none. */
extern uint32 RecsysCellNumber(RecsysCellNumbers *numbers, uint32 left, uint32 right);
extern uint32 RecsysCellFind(const RecsysCellNumbers *numbers, uint32 left, uint32 right);

#endif							/* RECSYS_CELLNUMBERS_H */
