/*
 * options.h
 *	  Storage parameters of a recsys index.
 */
#ifndef RECSYS_OPTIONS_H
#define RECSYS_OPTIONS_H

#include "postgres.h"

#include "am/store/page.h"
#include "core/pairs/similarity.h"
#include "utils/rel.h"

#define RECSYS_MAX_HISTORY_LIMIT	100000
#define RECSYS_DEFAULT_FILLFACTOR	90
#define RECSYS_DEFAULT_PENDING_LIMIT	4096	/* kB */

typedef struct RecsysOptions
{
	int32		vl_len_;		/* varlena header (do not touch directly!) */
	int			fillfactor;
	int			pending_limit;
	int			half_life;		/* offset of the string, an interval or '' */
	int			intervals[RECSYS_INTERVAL_OPTIONS];	/* the same of the model's, 0 where one is
													 * not set; model has them as numbers */
	RecsysModelOptions model;
} RecsysOptions;

/* Called once, from _PG_init. */
extern void RecsysInitOptions(void);

extern bytea *RecsysParseOptions(Datum reloptions, bool validate);

/*
 * What a build of the index would use now, resolved, with the fallback in the place of
 * similarity = auto.
 */
extern void RecsysGetModelOptions(Relation index, RecsysModelOptions *model);

/*
 * The same as asked for: RECSYS_AUTO, and RECSYS_MODEL_DEFAULT of what is left open.  The
 * second is of options that are not yet those of a relation.
 */
extern void RecsysGetAskedOptions(Relation index, RecsysModelOptions *asked);
extern void RecsysReadAskedOptions(const RecsysOptions *options, RecsysModelOptions *asked);

/*
 * Options that the next build will have otherwise than the last one: what they were, and
 * what has been asked for.  False when there are none.
 */
extern bool RecsysOptionsWait(const RecsysMetaData *meta, const RecsysModelOptions *asked,
							  char **built, char **set);

/* What an index over items was asked for: the number of neighbors; all else is as it was built. */
extern void RecsysAskedOfItems(const RecsysMetaData *meta, RecsysModelOptions *asked);

extern int	RecsysGetFillfactor(Relation index);
extern int	RecsysGetPendingLimit(Relation index);	/* kB */

/*
 * The half-life that is set, in microseconds, 0 for none: read at serving time, so ALTER
 * INDEX … SET acts at once.  If it is not set, the last build may have chosen one: see
 * RecsysServingHalfLife.
 */
extern int64 RecsysGetHalfLife(Relation index);
extern bool RecsysHalfLifeIsSet(Relation index);

/*
 * Of an index without a time column: the half-life, or another option that needs times,
 * that is set and would do nothing, or NULL.  Only the relation's options are looked at.
 */
extern const char *RecsysUselessHalfLife(Relation index);
extern void RecsysRefuseHalfLife(const char *option, const char *index);

#endif							/* RECSYS_OPTIONS_H */
