/*
 * funnel.h
 *	  How a declared recommender makes a list: all stages one after the other.
 */
#ifndef RECSYS_FUNNEL_H
#define RECSYS_FUNNEL_H

#include "postgres.h"

#include "api/candidates/scores.h"
#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"
#include "api/serve/pool.h"

/* A row of the list */
typedef struct RecsysListed
{
	uint32		slot;
	uint32		scored;			/* what the score is of: the item, or another offer of its group */
	double		score;			/* with all factors; 0 if nothing speaks for the item but where it is from */
	double		base;			/* without those of seller and price; of popular items their users */
	const char *source;			/* "history", or where else it is from */
	const char *detail;			/* the value of that segment, category …, or NULL */
} RecsysListed;

typedef struct RecsysFunnel RecsysFunnel;

/*
 * For one call: connects to SPI until it is closed.  user NULL: nobody in particular.
 * Everything it gives lives until then.
 */
extern RecsysFunnel *RecsysFunnelOpen(RecsysShop *shop, const RecsysKey *user, Jsonb *context,
									  bool exclude_seen, const int64 *half_life);

/*
 * The same in steps, for a list of the caller's making: Begin reads the profile, of rows that are
 * not later than until (NULL: all), and the promotions.  The caller may change what the profile says
 * of items seen, and their weights, before anything is scored.
 */
extern RecsysFunnel *RecsysFunnelBegin(RecsysShop *shop, const RecsysKey *user, Jsonb *context,
									   const TimestampTz *until);
extern void RecsysFunnelScore(RecsysFunnel *funnel);

/* The list of k rows from the caller's candidates and what stands in for them. */
extern int	RecsysFunnelChoose(RecsysFunnel *funnel, RecsysCandidateSource source, void *arg,
							   RecsysStandIns stand_ins, int k, const RecsysListed **rows);

/* The same for somebody of whom n items are all that is known; they are not listed if `exclude`. */
extern RecsysFunnel *RecsysFunnelOpenItems(RecsysShop *shop, RecsysKey *items, int n, bool exclude);
extern RecsysFunnel *RecsysFunnelBeginItems(RecsysShop *shop, RecsysKey *items, int n, bool exclude);

/*
 * The same for the neighbors of an item: like it, or, by the graph of complements, beside it,
 * which no item of its own category is.
 */
extern RecsysFunnel *RecsysFunnelOpenItem(RecsysShop *shop, const RecsysKey *item, bool beside);
extern void RecsysFunnelClose(RecsysFunnel *funnel);

/*
 * The list of k rows: less only if there are no more that pass the filters and, of those, none
 * that breaks no cap.  Returns how many.
 */
extern int	RecsysFunnelList(RecsysFunnel *funnel, int k, const RecsysListed **rows);

/* The most popular of a segment (NULL: of all) that pass. */
extern int	RecsysFunnelPopular(RecsysFunnel *funnel, const char *segment, int k,
								const RecsysListed **rows);

/* The same of items of the first signal's index, ranked by the caller. */
extern int	RecsysFunnelRanked(RecsysFunnel *funnel, const RecsysScored *ranked, int n, int k,
							   const RecsysListed **rows);

/* The same with promotions, and with what is popular standing in for what is missing. */
extern int	RecsysFunnelRankedFirst(RecsysFunnel *funnel, const RecsysScored *ranked, int n, int k,
									const RecsysListed **rows);

/* The same as RecsysFunnelRanked by slot. */
extern int	RecsysFunnelRankedSlots(RecsysFunnel *funnel, RecsysScored *ranked, int n, int k,
									const RecsysListed **rows);

extern RecsysShopProfile *RecsysFunnelProfile(RecsysFunnel *funnel);
extern RecsysScores *RecsysFunnelScores(RecsysFunnel *funnel);
extern RecsysItems *RecsysFunnelItems(RecsysFunnel *funnel);

/* How many promotions are on. */
extern int	RecsysFunnelPromotions(RecsysFunnel *funnel);

/* The factor by which a promotion multiplies an item's score; 1 without one. */
extern double RecsysFunnelBoost(RecsysFunnel *funnel, uint32 slot);

/*
 * The factor by which what was shown in vain loses, the item itself or the other offer of its group
 * that the score is of; 1 where neither was.
 */
extern double RecsysFunnelFatigue(RecsysFunnel *funnel, uint32 slot, uint32 scored);

#endif							/* RECSYS_FUNNEL_H */
