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

/* What a build of the index would use now, resolved. */
extern void RecsysGetModelOptions(Relation index, RecsysModelOptions *model);

/* The same of options that are not yet those of a relation. */
extern void RecsysReadModelOptions(const RecsysOptions *options, RecsysModelOptions *model);

/*
 * What the index was built with.  What its meta page does not tell, as that of an index
 * of an earlier release, is taken to be as it is set.
 */
extern void RecsysGetBuiltOptions(const RecsysMetaData *meta, const RecsysModelOptions *set,
								  RecsysModelOptions *built);
extern int	RecsysGetFillfactor(Relation index);
extern int	RecsysGetPendingLimit(Relation index);	/* kB */

/* Microseconds, 0 for none: read at serving time, so ALTER INDEX … SET acts at once. */
extern int64 RecsysGetHalfLife(Relation index);

/*
 * Of an index without a time column: the half-life, or another option that needs times,
 * that is set and would do nothing, or NULL.  Only the relation's options are looked at.
 */
extern const char *RecsysUselessHalfLife(Relation index);
extern void RecsysRefuseHalfLife(const char *option, const char *index);

#endif							/* RECSYS_OPTIONS_H */
