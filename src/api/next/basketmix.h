/*
 * basketmix.h
 *	  How next baskets are mixed: the rows of recsys.basket_mix.
 *
 * A row is of a declared recommender, by its name, or of an index, by its name with schema and
 * quotes, as RecsysKeptName has it.  Rows are read by their key under the active snapshot, whoever
 * calls: they tell nothing of single users or items.
 */
#ifndef RECSYS_BASKETMIX_H
#define RECSYS_BASKETMIX_H

#include "postgres.h"

#include "core/sequence/nextbasket.h"

/* What has been learned, and how much better it is than what users have most often */
typedef struct RecsysBasketMix
{
	RecsysNextBasketOptions options;
	int64		users;			/* whose last baskets it was learned on, */
	int64		judged_by;		/* and others, whose are what follows: */
	double		recall;			/* means of the lists of ten */
	double		ndcg;
	double		recall_frequency;
	double		ndcg_frequency;
	double		p_value;		/* of the difference in NDCG; NaN: not known */
} RecsysBasketMix;

/*
 * The mix that serves: that of the declared recommender (NULL: none), else that of the index, else the
 * defaults.
 */
extern void RecsysGetBasketMix(const char *declared, Oid index, RecsysNextBasketOptions *options);

/* Puts a row in the place of the one that is there, as the owner of the table. */
extern void RecsysWriteBasketMix(const char *recommender, const RecsysBasketMix *mix);

#endif							/* RECSYS_BASKETMIX_H */
