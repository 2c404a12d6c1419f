/*
 * title_groups.c
 *	  recsys.title_groups(): variants among the items of any query, by their titles.
 */
#include "postgres.h"

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "catalog/pg_collation.h"
#include "core/arrange/titlegroups.h"
#include "core/rows/dictionary.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "source/input/keyadvice.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

PG_FUNCTION_INFO_V1(recsys_title_groups);

#define SHAPE_HINT "The query must return item, title."

/* Items and their titles as they are read */
typedef struct TitleReading
{
	RecsysAnswer *answer;
	MemoryContext context;
	Oid			type;			/* of the items */
	RecsysDictionary *items;
	char	  **titles;			/* by item; NULL: it has none */
	uint32		room;
} TitleReading;

static void
start_reading(void *arg, TupleDesc desc)
{
	TitleReading *reading = arg;
	RecsysKeyKind kind;

	if (desc->natts != 2)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg_plural("the query returns %d column", "the query returns %d columns",
							   desc->natts, desc->natts),
				 errhint(SHAPE_HINT)));
	reading->type = getBaseType(TupleDescAttr(desc, 0)->atttypid);
	if (!RecsysQueryKeyKindOfType(reading->type, &kind))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("the query's item column has type %s", format_type_be(reading->type)),
				 errdetail(RECSYS_KEY_TYPES),
				 errhint(SHAPE_HINT)));
	RecsysCheckCollation(kind, TupleDescAttr(desc, 0)->attcollation,
						 "Select the column with COLLATE \"C\" or another deterministic collation.");
	RecsysAnswerCheckKind(reading->answer, kind, NULL);
	reading->items = RecsysDictionaryCreate(kind, 0);
}

/* The number of an item, which may be new */
static uint32
intern_item(TitleReading *reading, const RecsysKey *key)
{
	MemoryContext old = MemoryContextSwitchTo(reading->context);
	uint32		count = RecsysDictionaryCount(reading->items);
	uint32		item = RecsysDictionaryIntern(reading->items, key);

	if (item == reading->room)
	{
		reading->room *= 2;
		reading->titles = repalloc_huge(reading->titles, sizeof(char *) * (Size) reading->room);
	}
	if (item == count)
		reading->titles[item] = NULL;
	MemoryContextSwitchTo(old);
	return item;
}

static void
read_row(void *arg, HeapTuple tuple, TupleDesc desc)
{
	TitleReading *reading = arg;
	bool		isnull;
	Datum		value = heap_getattr(tuple, 1, desc, &isnull);
	char	   *title;
	RecsysKey	key;
	uint32		item;

	if (isnull)
		return;
	RecsysKeyFromDatum(reading->type, value, &key);
	if (key.len > RECSYS_MAX_KEY_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("key of %u bytes exceeds maximum %u", key.len, RECSYS_MAX_KEY_LEN)));
	item = intern_item(reading, &key);
	title = SPI_getvalue(tuple, desc, 2);
	if (title == NULL)
		return;
	if (reading->titles[item] == NULL)
		reading->titles[item] = MemoryContextStrdup(reading->context, title);
	else if (strcmp(reading->titles[item], title) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("the query returns more than one title for item %s", SPI_getvalue(tuple, desc, 1)),
				 errhint("Select one of them, for example with DISTINCT ON or GROUP BY.")));
}

/* The groups of items in the order of their keys; labels of those that have one */
static uint32 *
group_items(const TitleReading *reading, const uint32 *sorted, uint32 count, RecsysTitles *titles)
{
	bool		is_utf8 = GetDatabaseEncoding() == PG_UTF8;

	for (uint32 x = 0; x < count; x++)
	{
		const char *title = reading->titles[sorted[x]];
		char	   *lower;

		if ((x & 0x3FF) == 0)
			CHECK_FOR_INTERRUPTS();
		if (title == NULL)
		{
			RecsysTitlesAdd(titles, "", 0, is_utf8);
			continue;
		}
		lower = str_tolower(title, strlen(title), DEFAULT_COLLATION_OID);
		RecsysTitlesAdd(titles, lower, strlen(lower), is_utf8);
		pfree(lower);
	}
	return RecsysTitlesGroup(titles);
}

static Datum
item_text(const TitleReading *reading, uint32 item)
{
	RecsysKey	key;

	RecsysDictionaryKey(reading->items, item, &key);
	return RecsysAnswerKey(reading->answer, &key);
}

static void
put_groups(TitleReading *reading)
{
	uint32		count = RecsysDictionaryCount(reading->items);
	uint32	   *sorted = RecsysDictionarySorted(reading->items);
	RecsysTitles *titles = RecsysTitlesCreate();
	uint32	   *groups = group_items(reading, sorted, count, titles);
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "recsys title groups",
													  ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(row_context);

	for (uint32 x = 0; x < count; x++)
	{
		Datum		values[3];
		bool		isnull[3] = {false, false, false};
		const char *label = RecsysTitlesLabel(titles, groups[x]);

		if (label == NULL)
			label = reading->titles[sorted[groups[x]]];
		values[0] = item_text(reading, sorted[x]);
		values[1] = item_text(reading, sorted[groups[x]]);
		isnull[2] = label == NULL;
		values[2] = label == NULL ? (Datum) 0 : CStringGetTextDatum(label);
		RecsysAnswerPut(reading->answer, values, isnull);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(old);
	MemoryContextDelete(row_context);
	RecsysTitlesFree(titles);
	pfree(groups);
	pfree(sorted);
}

/* Argument: query */
Datum
recsys_title_groups(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	TitleReading reading = {.answer = &answer, .context = CurrentMemoryContext, .room = 1024};
	char	   *query = RecsysArgQuery(fcinfo, 0, "query");

	RecsysAnswerInit(&answer, fcinfo);
	reading.titles = palloc(sizeof(char *) * reading.room);
	RecsysRunQuery(query, SHAPE_HINT, start_reading, read_row, &reading);
	put_groups(&reading);
	return (Datum) 0;
}
