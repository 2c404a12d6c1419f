/*
 * tireditems.h
 *	  Items that a user has been shown in vain, and what is left of their scores.
 */
#ifndef RECSYS_TIREDITEMS_H
#define RECSYS_TIREDITEMS_H

#include "postgres.h"

#include "api/profile/shopprofile.h"

typedef struct RecsysTiredItems
{
	int			count;
	uint32	   *slots;			/* ascending, each once */
	double	   *factors;		/* above 0, below 1 */
} RecsysTiredItems;

/*
 * As the log has it, in the current memory context.  None of them without a user, or where no
 * fatigue is declared: then nothing is read.
 */
extern void RecsysReadTiredItems(const RecsysShopProfile *profile, const RecsysKey *user,
								 RecsysTiredItems *tired);

/* What an item's score is multiplied by; 1 if it is none of them. */
extern double RecsysTiredFactor(const RecsysTiredItems *tired, uint32 slot);

#endif							/* RECSYS_TIREDITEMS_H */
