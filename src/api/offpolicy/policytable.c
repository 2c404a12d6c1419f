/*
 * policytable.c
 *	  Rows of what a policy has shown, gathered one by one with the names that they have in SQL.
 *
 * Names become numbers as they come in; positions, which have an order, when all rows are there.
 */
#include "postgres.h"

#include <math.h>

#include "api/offpolicy/policytable.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#define FIRST_ROOM 1024
#define MOST_ROWS 500000000

/* Weights, and their squares, can be added */
#define LEAST_PROPENSITY 1e-100
#define LARGEST_REWARD 1e100

/* Sums of probabilities are 1 but for rounding */
#define ROUNDING 1e-9

enum
{
	NUMBER_REWARD,
	NUMBER_PROPENSITY,
	NUMBER_TARGET,
	NUMBER_PREDICTED,
	NUMBER_TARGET_PREDICTED,
	NUMBERS
};

enum
{
	NAME_REQUEST,
	NAME_UNIT,
	NAME_CONTEXT,
	NAME_ITEM,
	NAME_TARGET_ITEM,
	NAME_POSITION,
	NAMES
};

RecsysPolicyTable *
RecsysPolicyTableCreate(const RecsysPolicyParts *parts)
{
	RecsysPolicyTable *table = palloc0(sizeof(RecsysPolicyTable));

	table->parts = *parts;
	table->context = CurrentMemoryContext;
	table->requests = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 1);
	table->units = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 1);
	table->contexts = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 1);
	table->items = RecsysDictionaryCreate(RECSYS_KEY_TEXT, 1);
	return table;
}

static void *
enlarge_column(void *column, Size size)
{
	return column == NULL ? recsys_alloc_huge(size) : recsys_realloc_huge(column, size);
}

/* In the table's context */
static void
enlarge(RecsysPolicyTable *table)
{
	Size		room = table->room == 0 ? FIRST_ROOM : (Size) table->room * 2;

	if (room > MOST_ROWS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("there are more than %d rows", MOST_ROWS / 2),
				 errhint("Take a sample of the requests.")));
	for (int x = 0; x < NUMBERS; x++)
		if (x < NUMBER_PREDICTED || table->parts.predicted)
			table->numbers[x] = enlarge_column(table->numbers[x], sizeof(double) * room);
	for (int x = 0; x < NAMES; x++)
		table->names[x] = enlarge_column(table->names[x], sizeof(uint32) * room);
	table->positions = enlarge_column(table->positions, sizeof(int32) * room);
	table->room = (uint32) room;
}

static void
check_row(uint32 number, const RecsysPolicyRow *row)
{
	if (!(row->propensity >= LEAST_PROPENSITY && row->propensity <= 1 + ROUNDING))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("propensity %g of row %u is no probability above 0", row->propensity, number),
				 errdetail("A propensity is how likely the item was shown at its place.  What was shown cannot have been impossible.")));
	if (!(row->target >= 0 && row->target <= 1 + ROUNDING))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("target_probability %g of row %u is not between 0 and 1", row->target, number)));
	if (!(fabs(row->reward) <= LARGEST_REWARD && fabs(row->predicted) <= LARGEST_REWARD &&
		  fabs(row->target_predicted) <= LARGEST_REWARD))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("a reward of row %u is not finite or larger than %g", number, LARGEST_REWARD)));
}

static uint32
number_of_name(RecsysDictionary *names, const char *name)
{
	RecsysKey	key = {0};

	key.data = name;
	key.len = (uint32) strlen(name);
	return RecsysDictionaryIntern(names, &key);
}

void
RecsysPolicyTableAdd(RecsysPolicyTable *table, const RecsysPolicyRow *row)
{
	const RecsysPolicyParts *parts = &table->parts;
	MemoryContext old = MemoryContextSwitchTo(table->context);
	uint32		i = table->n;

	check_row(i + 1, row);
	if (i == table->room)
		enlarge(table);
	table->numbers[NUMBER_REWARD][i] = row->reward;
	table->numbers[NUMBER_PROPENSITY][i] = Min(row->propensity, 1);
	table->numbers[NUMBER_TARGET][i] = Min(row->target, 1);
	if (parts->predicted)
	{
		table->numbers[NUMBER_PREDICTED][i] = row->predicted;
		table->numbers[NUMBER_TARGET_PREDICTED][i] = row->target_predicted;
	}
	table->names[NAME_REQUEST][i] = parts->request ? number_of_name(table->requests, row->request) : i;
	table->names[NAME_UNIT][i] = parts->unit ? number_of_name(table->units, row->unit) : 0;
	table->names[NAME_CONTEXT][i] = parts->context ? number_of_name(table->contexts, row->context) : 0;
	table->names[NAME_ITEM][i] = parts->item ? number_of_name(table->items, row->item) : 0;
	table->names[NAME_TARGET_ITEM][i] = parts->target_item && row->target_item != NULL ?
		number_of_name(table->items, row->target_item) : RECSYS_NONE;
	table->positions[i] = parts->position ? row->position : 0;
	table->n++;
	MemoryContextSwitchTo(old);
}

static int
compare_integers(const void *a, const void *b)
{
	int32		left = *(const int32 *) a;
	int32		right = *(const int32 *) b;

	return (left > right) - (left < right);
}

/* Positions get numbers in their order; table->positions then has what they were. */
static void
number_positions(RecsysPolicyTable *table)
{
	int32	   *sorted = recsys_alloc_huge(sizeof(int32) * Max((Size) table->n, 1));
	uint32		count = 0;

	if (table->n > 0)
		memcpy(sorted, table->positions, sizeof(int32) * table->n);
	qsort(sorted, table->n, sizeof(int32), compare_integers);
	for (uint32 i = 0; i < table->n; i++)
		if (i == 0 || sorted[i] != sorted[i - 1])
			sorted[count++] = sorted[i];
	for (uint32 i = 0; i < table->n; i++)
	{
		int32	   *found = bsearch(&table->positions[i], sorted, count, sizeof(int32), compare_integers);

		table->names[NAME_POSITION][i] = (uint32) (found - sorted);
	}
	if (table->positions != NULL)
		pfree(table->positions);
	table->positions = sorted;
	table->npositions = count;
}

/* By unit, request and position, then as they have come */
static int
compare_rows(const void *a, const void *b, void *arg)
{
	static const int order[] = {NAME_UNIT, NAME_REQUEST, NAME_POSITION};
	RecsysPolicyTable *table = arg;
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	for (int x = 0; x < (int) lengthof(order); x++)
	{
		const uint32 *name = table->names[order[x]];

		if (name[left] != name[right])
			return name[left] < name[right] ? -1 : 1;
	}
	return (left > right) - (left < right);
}

static void
sort_rows(RecsysPolicyTable *table)
{
	Size		n = Max((Size) table->n, 1);
	uint32	   *order = recsys_alloc_huge(sizeof(uint32) * n);

	for (uint32 i = 0; i < table->n; i++)
		order[i] = i;
	qsort_interruptible(order, table->n, sizeof(uint32), compare_rows, table);
	for (int x = 0; x < NUMBERS; x++)
		if (table->numbers[x] != NULL)
		{
			double	   *column = recsys_alloc_huge(sizeof(double) * n);

			for (uint32 i = 0; i < table->n; i++)
				column[i] = table->numbers[x][order[i]];
			pfree(table->numbers[x]);
			table->numbers[x] = column;
		}
	for (int x = 0; x < NAMES; x++)
		if (table->names[x] != NULL)
		{
			uint32	   *column = recsys_alloc_huge(sizeof(uint32) * n);

			for (uint32 i = 0; i < table->n; i++)
				column[i] = table->names[x][order[i]];
			pfree(table->names[x]);
			table->names[x] = column;
		}
	pfree(order);
}

static void
check_requests(const RecsysPolicyTable *table)
{
	const uint32 *request = table->names[NAME_REQUEST];
	const uint32 *position = table->names[NAME_POSITION];
	uint8	   *begun = recsys_alloc_huge_zero(Max((Size) RecsysDictionaryCount(table->requests), 1));

	for (uint32 i = 0; i < table->n; i++)
	{
		RecsysKey	key;

		if (i > 0 && request[i - 1] == request[i] && table->names[NAME_UNIT][i - 1] == table->names[NAME_UNIT][i])
		{
			if (!table->parts.position || position[i - 1] != position[i])
				continue;
			RecsysDictionaryKey(table->requests, request[i], &key);
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("request \"%.*s\" has two rows at position %d", (int) key.len, key.data,
							table->positions[position[i]]),
					 errdetail("A row is what was shown at one place.  A join with events repeats it if there are several of one item.")));
		}
		if (begun[request[i]])
		{
			RecsysDictionaryKey(table->requests, request[i], &key);
			ereport(ERROR,
					(errcode(ERRCODE_CARDINALITY_VIOLATION),
					 errmsg("request \"%.*s\" has rows of two units", (int) key.len, key.data)));
		}
		begun[request[i]] = 1;
	}
	pfree(begun);
}

void
RecsysPolicyTableRows(RecsysPolicyTable *table, RecsysPolicyRows *rows)
{
	const RecsysPolicyParts *parts = &table->parts;

	memset(rows, 0, sizeof(RecsysPolicyRows));
	rows->n = table->n;
	if (table->n == 0)
		enlarge(table);
	number_positions(table);
	if (parts->request || parts->unit)
		sort_rows(table);
	if (parts->request)
		check_requests(table);
	rows->reward = table->numbers[NUMBER_REWARD];
	rows->propensity = table->numbers[NUMBER_PROPENSITY];
	rows->target = table->numbers[NUMBER_TARGET];
	rows->request = parts->request ? table->names[NAME_REQUEST] : NULL;
	rows->unit = parts->unit ? table->names[NAME_UNIT] : NULL;
	rows->position = parts->position ? table->names[NAME_POSITION] : NULL;
	rows->context = parts->context ? table->names[NAME_CONTEXT] : NULL;
	rows->item = parts->item ? table->names[NAME_ITEM] : NULL;
	rows->target_item = parts->target_item ? table->names[NAME_TARGET_ITEM] : NULL;
	if (parts->predicted)
	{
		rows->predicted = table->numbers[NUMBER_PREDICTED];
		rows->target_predicted = table->numbers[NUMBER_TARGET_PREDICTED];
	}
}
