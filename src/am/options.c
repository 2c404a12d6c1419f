/*
 * options.c
 *	  Storage parameters of a recsys index.
 *
 * similarity, neighbors, min_support, shrinkage, alpha and max_history act at
 * the next build (REINDEX); half_life and pending_limit act at the next call.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "am/options.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "source/values.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

static relopt_kind recsys_relopt_kind;

static relopt_enum_elt_def similarity_values[] =
{
	{"cosine", RECSYS_COSINE},
	{"jaccard", RECSYS_JACCARD},
	{"dice", RECSYS_DICE},
	{"confidence", RECSYS_CONFIDENCE},
	{"lift", RECSYS_LIFT},
	{"pmi", RECSYS_PMI},
	{"log_likelihood", RECSYS_LOG_LIKELIHOOD},
	{(const char *) NULL}
};

/* Microseconds of an interval written as text; 0 for ''. */
static int64
parse_half_life(const char *value)
{
	Interval   *interval;
	double		microseconds;

	if (value == NULL || *value == '\0')
		return 0;

	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in,
													 CStringGetDatum(value),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	microseconds = RecsysIntervalMicroseconds(interval);

	if (!(microseconds > 0 && microseconds < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for option \"half_life\": \"%s\"", value),
				 errdetail("A half-life is a positive interval."),
				 errhint("Write for example half_life = '30 days', or '' for no decay.")));
	return (int64) microseconds;
}

static void
validate_half_life(const char *value)
{
	(void) parse_half_life(value);
}

void
RecsysInitOptions(void)
{
	LOCKMODE	lock = ShareUpdateExclusiveLock;

	recsys_relopt_kind = add_reloption_kind();

	add_enum_reloption(recsys_relopt_kind, "similarity",
					   "Similarity that the item graph is computed with",
					   similarity_values, RECSYS_COSINE,
					   "Valid values are \"cosine\", \"jaccard\", \"dice\", \"confidence\", \"lift\", \"pmi\" and \"log_likelihood\".",
					   lock);
	add_int_reloption(recsys_relopt_kind, "neighbors",
					  "Most neighbors kept for an item",
					  RECSYS_DEFAULT_NEIGHBORS, 1, RECSYS_MAX_NEIGHBORS, lock);
	add_int_reloption(recsys_relopt_kind, "min_support",
					  "Fewest distinct users behind a pair of items",
					  RECSYS_DEFAULT_MIN_SUPPORT, 1, INT_MAX, lock);
	add_int_reloption(recsys_relopt_kind, "max_history",
					  "Most recent items of one user that count",
					  RECSYS_DEFAULT_MAX_HISTORY, 1, RECSYS_MAX_MAX_HISTORY, lock);
	add_int_reloption(recsys_relopt_kind, "fillfactor",
					  "Packs bucket pages only to this percentage",
					  RECSYS_DEFAULT_FILLFACTOR, 50, 100, lock);
	add_int_reloption(recsys_relopt_kind, "pending_limit",
					  "Size of the pending lists, in kB, beyond which inserts merge some of it",
					  RECSYS_DEFAULT_PENDING_LIMIT, 64, MAX_KILOBYTES, lock);
	add_real_reloption(recsys_relopt_kind, "shrinkage",
					   "Damps pairs with little support: score times support / (support + shrinkage)",
					   0, 0, RECSYS_MAX_SHRINKAGE, lock);
	add_real_reloption(recsys_relopt_kind, "alpha",
					   "Damps popular neighbors: score times users ^ -alpha",
					   0, 0, 1, lock);
	add_string_reloption(recsys_relopt_kind, "half_life",
						 "Interval after which an interaction counts half when serving",
						 "", validate_half_life, lock);
}

bytea *
RecsysParseOptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{.optname = "similarity", .opttype = RELOPT_TYPE_ENUM, .offset = offsetof(RecsysOptions, similarity)},
		{.optname = "neighbors", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, neighbors)},
		{.optname = "min_support", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, min_support)},
		{.optname = "max_history", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, max_history)},
		{.optname = "fillfactor", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, fillfactor)},
		{.optname = "pending_limit", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, pending_limit)},
		{.optname = "shrinkage", .opttype = RELOPT_TYPE_REAL, .offset = offsetof(RecsysOptions, shrinkage)},
		{.optname = "alpha", .opttype = RELOPT_TYPE_REAL, .offset = offsetof(RecsysOptions, alpha)},
		{.optname = "half_life", .opttype = RELOPT_TYPE_STRING, .offset = offsetof(RecsysOptions, half_life)},
	};

	return (bytea *) build_reloptions(reloptions, validate, recsys_relopt_kind,
									  sizeof(RecsysOptions), table, lengthof(table));
}

void
RecsysGetModelOptions(Relation index, RecsysModelOptions *model, int *max_history)
{
	RecsysOptions *options = (RecsysOptions *) index->rd_options;

	model->similarity = options ? options->similarity : RECSYS_COSINE;
	model->neighbors = options ? options->neighbors : RECSYS_DEFAULT_NEIGHBORS;
	model->min_support = options ? options->min_support : RECSYS_DEFAULT_MIN_SUPPORT;
	model->shrinkage = options ? options->shrinkage : 0;
	model->alpha = options ? options->alpha : 0;
	*max_history = options ? options->max_history : RECSYS_DEFAULT_MAX_HISTORY;
}

int
RecsysGetFillfactor(Relation index)
{
	RecsysOptions *options = (RecsysOptions *) index->rd_options;

	return options ? options->fillfactor : RECSYS_DEFAULT_FILLFACTOR;
}

int
RecsysGetPendingLimit(Relation index)
{
	RecsysOptions *options = (RecsysOptions *) index->rd_options;

	return options ? options->pending_limit : RECSYS_DEFAULT_PENDING_LIMIT;
}

int64
RecsysGetHalfLife(Relation index)
{
	RecsysOptions *options = (RecsysOptions *) index->rd_options;

	if (options == NULL || options->half_life == 0)
		return 0;
	return parse_half_life(GET_STRING_RELOPTION(options, half_life));
}
