/*
 * audienceitems.h
 *	  The items that an audience is looked for, and what is near to them.
 */
#ifndef RECSYS_AUDIENCEITEMS_H
#define RECSYS_AUDIENCEITEMS_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/declare/shop.h"
#include "core/rows/key.h"

/* What is asked for: an item, or those of a seller, a category or both; NULL where it is not said */
typedef struct RecsysAudienceRequest
{
	const char *item;
	const char *seller;
	const char *category;
	const char *segment;		/* of the users */
} RecsysAudienceRequest;

/* An item that an audience is looked for */
typedef struct RecsysTarget
{
	RecsysKey	key;
	uint32		number;			/* of the events' index, or RECSYS_NONE */
	bool		repeatable;		/* who has it may get it again */
	const char *product;		/* what group_by says, or NULL */
	int			next;			/* the next target of that product, in a ring; itself if it is the only one */
} RecsysTarget;

/* Another item of a target's product: who has it has the target */
typedef struct RecsysOffer
{
	uint32		number;
	int			target;
} RecsysOffer;

typedef struct RecsysTargets
{
	RecsysTarget *targets;
	int			count;
	RecsysOffer *offers;
	int			noffers;
} RecsysTargets;

/* Errors out on what makes no sense, or has not been declared. */
extern void RecsysCheckAudienceRequest(const RecsysDefinition *definition,
									   const RecsysAudienceRequest *request);

/*
 * Reads the items' table with the caller's rights.  Of a seller the new items are the targets,
 * if there are any.  *near, by number, tells which items are of the seller or category asked
 * for, or of the item's own; it has room for nitems, which is how many the index has.
 */
extern void RecsysFindAudienceItems(RecsysShop *shop, RecsysRecommender *events,
									const RecsysAudienceRequest *request, uint32 nitems, RecsysTargets *targets,
									uint8 **near);

#endif							/* RECSYS_AUDIENCEITEMS_H */
