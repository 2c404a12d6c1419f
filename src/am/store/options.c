/*
 * options.c
 *	  Storage parameters of a recsys index.
 *
 * The options of the model, which act at the next build (REINDEX), are those of
 * core/pairs/modeloptions.c; half_life and pending_limit act at the next call.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "am/store/options.h"
#include "core/pairs/modeloptions.h"
#include "source/train/optiontext.h"
#include "utils/guc.h"

static relopt_kind recsys_relopt_kind;

static relopt_enum_elt_def similarity_values[RECSYS_LAST_SIMILARITY + 1];

static relopt_enum_elt_def weighting_values[] =
{
	{"none", RECSYS_WEIGHTING_NONE},
	{"tfidf", RECSYS_WEIGHTING_TFIDF},
	{"bm25", RECSYS_WEIGHTING_BM25},
	{(const char *) NULL, 0}
};

static relopt_enum_elt_def transform_values[] =
{
	{"auto", RECSYS_TRANSFORM_AUTO},
	{"none", RECSYS_TRANSFORM_NONE},
	{"log", RECSYS_TRANSFORM_LOG},
	{"binary", RECSYS_TRANSFORM_BINARY},
	{(const char *) NULL, 0}
};

static void
validate_half_life(const char *value)
{
	(void) RecsysParseHalfLife("half_life", value);
}

/* The server does not tell a validator which option it is called for. */
static void
validate_training_half_life(const char *value)
{
	(void) RecsysParseHalfLife("training_half_life", value);
}

static void
validate_popularity_half_life(const char *value)
{
	(void) RecsysParseHalfLife("popularity_half_life", value);
}

static void
validate_item_max_age(const char *value)
{
	(void) RecsysParseHalfLife("item_max_age", value);
}

static const struct
{
	const char *name;
	validate_string_relopt validate;
}			interval_validators[RECSYS_INTERVAL_OPTIONS] =
{
	{"training_half_life", validate_training_half_life},
	{"popularity_half_life", validate_popularity_half_life},
	{"item_max_age", validate_item_max_age}
};

static void
add_interval_option(const RecsysModelOption *option, LOCKMODE lock)
{
	int			number = RecsysModelOptionInterval(option);

	if (strcmp(interval_validators[number].name, option->name) != 0)
		elog(ERROR, "option \"%s\" has the validator of another one", option->name);
	add_string_reloption(recsys_relopt_kind, option->name, option->description, NULL,
						 interval_validators[number].validate, lock);
}

static void
add_model_option(const RecsysModelOption *option, LOCKMODE lock)
{
	switch (option->kind)
	{
		case RECSYS_OPTION_INTEGER:
			add_int_reloption(recsys_relopt_kind, option->name, option->description,
							  (int) option->initial, (int) option->least, (int) option->most, lock);
			break;
		case RECSYS_OPTION_REAL:
			add_real_reloption(recsys_relopt_kind, option->name, option->description,
							   option->initial, option->least, option->most, lock);
			break;
		case RECSYS_OPTION_SIMILARITY:
			add_enum_reloption(recsys_relopt_kind, option->name, option->description,
							   similarity_values, (int) option->initial,
							   RecsysSimilarityHint(), lock);
			break;
		case RECSYS_OPTION_WEIGHTING:
			add_enum_reloption(recsys_relopt_kind, option->name, option->description,
							   weighting_values, (int) option->initial,
							   "Valid values are \"none\", \"tfidf\" and \"bm25\".", lock);
			break;
		case RECSYS_OPTION_TRANSFORM:
			add_enum_reloption(recsys_relopt_kind, option->name, option->description,
							   transform_values, (int) option->initial,
							   "Valid values are \"auto\", \"none\", \"log\" and \"binary\".", lock);
			break;
		case RECSYS_OPTION_INTERVAL:
			add_interval_option(option, lock);
			break;
	}
}

void
RecsysInitOptions(void)
{
	LOCKMODE	lock = ShareUpdateExclusiveLock;

	recsys_relopt_kind = add_reloption_kind();

	/* the list ends with a NULL, which is there already */
	for (int x = RECSYS_COSINE; x <= RECSYS_LAST_SIMILARITY; x++)
	{
		similarity_values[x - RECSYS_COSINE].string_val = RecsysSimilarityName(x);
		similarity_values[x - RECSYS_COSINE].symbol_val = x;
	}
	for (int x = 0; x < RecsysModelOptionCount; x++)
		add_model_option(&RecsysModelOptionTable[x], lock);

	add_int_reloption(recsys_relopt_kind, "fillfactor",
					  "Packs bucket pages only to this percentage",
					  RECSYS_DEFAULT_FILLFACTOR, 50, 100, lock);
	add_int_reloption(recsys_relopt_kind, "pending_limit",
					  "Size of the pending lists, in kB, beyond which inserts merge some of it",
					  RECSYS_DEFAULT_PENDING_LIMIT, 64, MAX_KILOBYTES, lock);
	add_string_reloption(recsys_relopt_kind, "half_life",
						 "Interval after which an interaction counts half when serving",
						 NULL, validate_half_life, lock);
}

static void
fill_table_entry(const RecsysModelOption *option, relopt_parse_elt *entry)
{
	entry->optname = option->name;
	entry->offset = offsetof(RecsysOptions, model) + option->offset;
	switch (option->kind)
	{
		case RECSYS_OPTION_INTEGER:
			entry->opttype = RELOPT_TYPE_INT;
			break;
		case RECSYS_OPTION_REAL:
			entry->opttype = RELOPT_TYPE_REAL;
			break;
		case RECSYS_OPTION_SIMILARITY:
		case RECSYS_OPTION_WEIGHTING:
		case RECSYS_OPTION_TRANSFORM:
			entry->opttype = RELOPT_TYPE_ENUM;
			break;
		case RECSYS_OPTION_INTERVAL:
			entry->opttype = RELOPT_TYPE_STRING;
			entry->offset = offsetof(RecsysOptions, intervals) +
				sizeof(int) * RecsysModelOptionInterval(option);
			break;
	}
}

bytea *
RecsysParseOptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt own[] = {
		{.optname = "fillfactor", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, fillfactor)},
		{.optname = "pending_limit", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, pending_limit)},
		{.optname = "half_life", .opttype = RELOPT_TYPE_STRING, .offset = offsetof(RecsysOptions, half_life)},
	};
	relopt_parse_elt *table = palloc0(sizeof(relopt_parse_elt) *
									  (RecsysModelOptionCount + lengthof(own)));
	bytea	   *result;

	for (int x = 0; x < RecsysModelOptionCount; x++)
		fill_table_entry(&RecsysModelOptionTable[x], &table[x]);
	memcpy(table + RecsysModelOptionCount, own, sizeof(own));
	result = (bytea *) build_reloptions(reloptions, validate, recsys_relopt_kind,
										sizeof(RecsysOptions), table,
										RecsysModelOptionCount + lengthof(own));
	pfree(table);
	return result;
}

/* The server has them as text behind the struct. */
static void
read_intervals(const RecsysOptions *options, RecsysModelOptions *model)
{
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];
		int			offset;

		if (option->kind != RECSYS_OPTION_INTERVAL)
			continue;
		offset = options->intervals[RecsysModelOptionInterval(option)];
		*RecsysModelOptionField(option, model, int64) = offset == 0 ? (int64) option->initial :
			RecsysParseHalfLife(option->name, (const char *) options + offset);
	}
}

void
RecsysReadAskedOptions(const RecsysOptions *options, RecsysModelOptions *asked)
{
	if (options == NULL)
		RecsysModelOptionsInit(asked);
	else
	{
		*asked = options->model;
		read_intervals(options, asked);
	}
}

void
RecsysGetAskedOptions(Relation index, RecsysModelOptions *asked)
{
	RecsysReadAskedOptions((RecsysOptions *) index->rd_options, asked);
}

void
RecsysGetModelOptions(Relation index, RecsysModelOptions *model)
{
	RecsysGetAskedOptions(index, model);
	RecsysModelOptionsResolve(model);
}

/*
 * With similarity = auto: what is asked for otherwise than for the last build, and for the
 * rest what that one had.  What it will choose anew nobody knows yet.
 */
static void
ask_otherwise(const RecsysMetaData *meta, const RecsysModelOptions *asked, RecsysModelOptions *next)
{
	bool		chooses_again = meta->asked.similarity == RECSYS_AUTO;
	RecsysModelOptions plain = *asked;

	RecsysModelOptionsResolve(&plain);
	*next = meta->options;
	for (int x = 0; x < RecsysModelOptionCount; x++)
	{
		const RecsysModelOption *option = &RecsysModelOptionTable[x];

		if (RecsysModelOptionsAgree(option, asked, &meta->asked))
			continue;
		if (!RecsysModelOptionIsOpen(option, asked))
			RecsysModelOptionCopy(option, next, asked);
		else if (chooses_again)
			RecsysModelOptionCopy(option, next, &plain);
	}
}

bool
RecsysOptionsWait(const RecsysMetaData *meta, const RecsysModelOptions *asked, char **built, char **set)
{
	RecsysModelOptions next = *asked;

	if (asked->similarity == RECSYS_AUTO)
		ask_otherwise(meta, asked, &next);
	else
		RecsysModelOptionsResolve(&next);
	*built = RecsysOptionsUnlike(&meta->options, &next);
	*set = RecsysOptionsUnlike(&next, &meta->options);
	return **built != '\0';
}

void
RecsysAskedOfItems(const RecsysMetaData *meta, RecsysModelOptions *asked)
{
	int			neighbors = asked->neighbors;

	*asked = meta->options;
	asked->neighbors = neighbors;
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
	return RecsysParseHalfLife("half_life", GET_STRING_RELOPTION(options, half_life));
}

bool
RecsysHalfLifeIsSet(Relation index)
{
	RecsysOptions *options = (RecsysOptions *) index->rd_options;

	return options != NULL && options->half_life != 0;
}

const char *
RecsysUselessHalfLife(Relation index)
{
	RecsysModelOptions model;

	if (RecsysGetHalfLife(index) > 0)
		return "half_life";
	RecsysGetModelOptions(index, &model);
	return RecsysModelOptionTimed(&model);
}

void
RecsysRefuseHalfLife(const char *option, const char *index)
{
	if (strcmp(option, "similarity") == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("index \"%s\" has no time column to tell what comes after what, which similarity \"session\" is about",
						index),
				 errhint("Create it with a time, as in USING recsys (session_id, item_id, clicked_at), or with another similarity, as cosine.")));
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("index \"%s\" has no time column to apply %s to", index, option),
			 errhint("Create it with a time, as in USING recsys (user_id, item_id, purchased_at), or without %s.",
					 option)));
}
