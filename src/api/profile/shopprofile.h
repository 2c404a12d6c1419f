/*
 * shopprofile.h
 *	  The first stage: what is known of a user, signal by signal.
 */
#ifndef RECSYS_SHOPPROFILE_H
#define RECSYS_SHOPPROFILE_H

#include "postgres.h"

#include "api/here/nodeevents.h"
#include "api/declare/shop.h"
#include "api/profile/catalogue.h"
#include "api/profile/requestcontext.h"
#include "api/scoring/serving.h"

/* What one signal knows of the user */
typedef struct RecsysEvidence
{
	const RecsysSignal *signal;
	RecsysRecommender events;	/* open until RecsysShopProfileClose */
	RecsysDistributed *distributed; /* NULL unless users are on several nodes: then events has none, */
	struct RecsysUserPlace *place;	/* the user is there, once that has been looked up, */
	RecsysRecommender history;	/* and this is the index of the user's shard, if index is not NULL */
	RecsysHistoryOptions options;	/* of the index that is named */
	RecsysCatalogue *catalogue; /* the shop's, or another one if the signal's items are others */
	RecsysItemMap *map;			/* of the events' index, in that catalogue */
	int			count;			/* items that count, in the order of the history's numbers */
	uint32	   *items;			/* numbers of the index that has the history, see shardhistory.h */
	uint32	   *slots;			/* parallel to them; of that catalogue */
	double	   *weights;		/* folded, decayed, centered; of either sign */
	double		weight;			/* the signal's, and what time has left of it since the user's latest act */
} RecsysEvidence;

typedef struct RecsysShopProfile
{
	RecsysShop *shop;
	const RecsysContext *context;
	RecsysCatalogue *catalogue;
	RecsysEvidence *evidence;	/* one for each signal, in their order */
	int			nevidence;
	bool		has_history;	/* some signal knows the user, or the context has items */

	uint32	   *context_items;	/* slots of cart and recently_viewed that are known, each once */
	double	   *context_weights;	/* 1 and 0.5: interactions of now, in the first signal's graph */
	int			ncontext_items;

	uint32	   *seen;			/* slots not to be recommended unless repeatable, ascending, each once */
	int			nseen;
	uint32	   *excluded;		/* slots never to be recommended: cart and exclude of the context */
	int			nexcluded;

	bool		is_excluded;	/* exclude_users says so: no personal list */
	char	  **segments;		/* nsegments values, smallest segment first; NULL elements where unknown */
	double		price_level;	/* mean of the natural logarithms of prices, NaN if unknown */
	double		price_spread;	/* their standard deviation, at least 0.25 */
	int64		item_max_age;	/* of the first signal's index; 0: no item is too old */
	int64		items_latest;	/* that ages are counted from */
	uint64		user_hash;		/* tells users apart where something is drawn at random; 0 without a user */
} RecsysShopProfile;

/*
 * Reads it with the caller's rights under the active snapshot; user NULL: nobody, the
 * context alone counts.  exclude_seen false leaves seen empty.  half_life: NULL, or what
 * takes the place of that of all signals.  Call between SPI_connect and SPI_finish; what is
 * returned is in the memory context `in`.
 */
extern RecsysShopProfile *RecsysShopProfileRead(RecsysShop *shop, const RecsysKey *user,
												const RecsysContext *context, bool exclude_seen,
												const int64 *half_life, MemoryContext in);
extern void RecsysShopProfileClose(RecsysShopProfile *profile);

/*
 * Errors out unless the caller may read what puts users into segments.  Who asks for a segment by its
 * name learns what its users have, though by the lists of the last refresh.
 */
extern void RecsysCheckSegmentRights(const RecsysShopProfile *profile);

/*
 * Has nobody taken the item for the item_max_age of the first signal's index?  Such items are
 * passed over, as by the index; what it has never had is not old.
 */
extern bool RecsysItemIsTooOld(const RecsysShopProfile *profile, uint32 slot);

#endif							/* RECSYS_SHOPPROFILE_H */
