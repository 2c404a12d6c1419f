/*
 * labels.c
 *	  Labels of users or items from a query: segments, categories, sellers.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "source/input/labels.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

typedef struct Reading
{
	const char *what;
	const char *role;
	RecsysKeyKind kind;
	const RecsysDictionary *keys;
	uint32		nkeys;
	const char *hint;
	bool		labelled;		/* there is a second column */
	Oid			type;			/* of the key */
	RecsysDictionary *names;
	uint32	   *labels;
	uint8	   *marks;
} Reading;

static void
start_reading(void *arg, TupleDesc desc)
{
	Reading    *reading = arg;
	RecsysKeyKind kind;

	if (desc->natts != (reading->labelled ? 2 : 1))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg_plural("the query for %s returns %d column",
							   "the query for %s returns %d columns",
							   desc->natts, reading->what, desc->natts),
				 errhint("%s", reading->hint)));
	reading->type = getBaseType(TupleDescAttr(desc, 0)->atttypid);
	if (!RecsysQueryKeyKindOfType(reading->type, &kind) || kind != reading->kind)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query for %s returns %s keys of type %s",
						reading->what, reading->role, format_type_be(reading->type)),
				 strcmp(reading->role, "user") == 0 ?
				 errdetail("The users of the evaluation have %s keys.", RecsysKeyKindName(reading->kind)) :
				 errdetail("The items of the evaluation have %s keys.", RecsysKeyKindName(reading->kind)),
				 errhint("%s", reading->hint)));
	RecsysCheckCollation(kind, TupleDescAttr(desc, 0)->attcollation,
						 "Select the column with COLLATE \"C\" or another deterministic collation.");
}

static void
set_label(Reading *reading, uint32 number, uint32 label, HeapTuple tuple, TupleDesc desc)
{
	if (reading->labels[number] == RECSYS_NONE)
		reading->labels[number] = label;
	else if (reading->labels[number] != label)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("the query for %s returns more than one value for %s %s",
						reading->what, reading->role, SPI_getvalue(tuple, desc, 1)),
				 errhint("Select one of them, for example with DISTINCT ON or GROUP BY.")));
}

static void
read_row(void *arg, HeapTuple tuple, TupleDesc desc)
{
	Reading    *reading = arg;
	bool		isnull;
	Datum		value = heap_getattr(tuple, 1, desc, &isnull);
	RecsysKey	key;
	RecsysKey	name;
	uint32		number;

	if (isnull)
		return;
	RecsysKeyFromDatum(reading->type, value, &key);
	number = RecsysDictionaryFind(reading->keys, &key);
	if (number >= reading->nkeys)
		number = RECSYS_NONE;
	if (!reading->labelled)
	{
		if (number != RECSYS_NONE)
			reading->marks[number] = 1;
		return;
	}

	name.data = SPI_getvalue(tuple, desc, 2);
	if (name.data == NULL)
		return;
	name.len = (uint32) strlen(name.data);
	if (name.len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("a value of the query for %s is %u bytes long, the maximum is %u",
						reading->what, name.len, RECSYS_MAX_KEY_LEN)));
	{
		MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(reading->names));
		uint32		label = RecsysDictionaryIntern(reading->names, &name);

		MemoryContextSwitchTo(old);
		if (number != RECSYS_NONE)
			set_label(reading, number, label, tuple, desc);
	}
}

/* Labels in the order of their names. */
static RecsysLabels *
sort_labels(Reading *reading)
{
	RecsysLabels *result = palloc(sizeof(RecsysLabels));
	uint32	   *sorted = RecsysDictionarySorted(reading->names);
	uint32	   *rank;

	result->count = RecsysDictionaryCount(reading->names);
	result->names = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(char *) * (Size) Max(result->count, 1));
	rank = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(result->count, 1));
	for (uint32 x = 0; x < result->count; x++)
	{
		RecsysKey	key;

		RecsysDictionaryKey(reading->names, sorted[x], &key);
		result->names[x] = pnstrdup(key.data, key.len);
		rank[sorted[x]] = x;
	}
	for (uint32 x = 0; x < reading->nkeys; x++)
		if (reading->labels[x] != RECSYS_NONE)
			reading->labels[x] = rank[reading->labels[x]];
	result->labels = reading->labels;
	pfree(sorted);
	pfree(rank);
	return result;
}

RecsysLabels *
RecsysReadLabels(const char *query, const char *what, const char *role, RecsysKeyKind kind,
				 const RecsysDictionary *keys, uint32 nkeys)
{
	Reading		reading = {0};
	RecsysLabels *result;

	reading.what = what;
	reading.role = role;
	reading.kind = kind;
	reading.keys = keys;
	reading.nkeys = nkeys;
	reading.labelled = true;
	reading.hint = strcmp(what, "segments") == 0 ? "The query must return user, segment." :
		strcmp(what, "sellers") == 0 ? "The query must return item, seller." :
		"The query must return item, category.";
	reading.names = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 0);
	reading.labels = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(uint32) * (Size) Max(nkeys, 1));
	memset(reading.labels, 0xFF, sizeof(uint32) * (Size) nkeys);
	RecsysRunQuery(query, reading.hint, start_reading, read_row, &reading);
	result = sort_labels(&reading);
	RecsysDictionaryFree(reading.names);
	return result;
}

uint8 *
RecsysReadMarks(const char *query, const char *what, const char *role, RecsysKeyKind kind,
				const RecsysDictionary *keys, uint32 nkeys)
{
	Reading		reading = {0};

	reading.what = what;
	reading.role = role;
	reading.kind = kind;
	reading.keys = keys;
	reading.nkeys = nkeys;
	reading.hint = "The query must return item.";
	reading.marks = MemoryContextAllocExtended(CurrentMemoryContext, Max(nkeys, 1),
											   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	RecsysRunQuery(query, reading.hint, start_reading, read_row, &reading);
	return reading.marks;
}
