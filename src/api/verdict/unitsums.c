/*
 * unitsums.c
 *	  Sums over the units of an experiment, by variant, segment and metric.
 *
 * Most columns of most metrics are 0 throughout (denominators of means, what is from before), so an
 * exact sum is made only when there is something to add to it.
 */
#include "postgres.h"

#include "api/verdict/unitsums.h"
#include "common/hashfn.h"
#include "core/rows/exactsum.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* Sums of columns, then of products of columns i <= j */
#define PRODUCTS (RECSYS_UNIT_COLUMNS * (RECSYS_UNIT_COLUMNS + 1) / 2)
#define SUMS (RECSYS_UNIT_COLUMNS + PRODUCTS)

typedef struct MetricSums
{
	RecsysExactSum *sum[SUMS];	/* NULL: 0 */
} MetricSums;

typedef struct ArmTotals
{
	int64		units;
	int64		fresh;
	MetricSums *metrics;
} ArmTotals;

typedef struct SegmentTotals
{
	char	   *name;
	ArmTotals  *arms;
} SegmentTotals;

typedef struct SegmentEntry
{
	const char *name;			/* key */
	int			number;
} SegmentEntry;

struct RecsysUnitSums
{
	MemoryContext context;
	int			nvariants;
	int			nsegments;
	SegmentTotals *segments;	/* the first is all units */
	HTAB	   *by_name;
	bool		lacks_segments;
};

static uint32
hash_name(const void *key, Size size)
{
	const char *name = *(const char *const *) key;

	return DatumGetUInt32(hash_any((const unsigned char *) name, strlen(name)));
}

static int
match_names(const void *a, const void *b, Size size)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static SegmentTotals *
add_segment(RecsysUnitSums *sums, const char *name)
{
	MemoryContext old = MemoryContextSwitchTo(sums->context);
	SegmentTotals *segment = &sums->segments[sums->nsegments++];

	segment->name = pstrdup(name);
	segment->arms = palloc0(sizeof(ArmTotals) * sums->nvariants);
	for (int v = 0; v < sums->nvariants; v++)
		segment->arms[v].metrics = palloc0(sizeof(MetricSums) * RecsysMetricNameCount);
	MemoryContextSwitchTo(old);
	return segment;
}

RecsysUnitSums *
RecsysUnitSumsCreate(int nvariants)
{
	RecsysUnitSums *sums = palloc0(sizeof(RecsysUnitSums));
	HASHCTL		control = {0};

	sums->context = CurrentMemoryContext;
	sums->nvariants = nvariants;
	sums->segments = palloc0(sizeof(SegmentTotals) * (RECSYS_SEGMENTS_MAX + 1));
	control.keysize = sizeof(char *);
	control.entrysize = sizeof(SegmentEntry);
	control.hash = hash_name;
	control.match = match_names;
	control.hcxt = CurrentMemoryContext;
	sums->by_name = hash_create("recsys segments", 64, &control,
								HASH_ELEM | HASH_FUNCTION | HASH_COMPARE | HASH_CONTEXT);
	(void) add_segment(sums, "");
	return sums;
}

/* NULL: too many */
static SegmentTotals *
find_segment(RecsysUnitSums *sums, const char *name)
{
	bool		found;
	SegmentEntry *entry = hash_search(sums->by_name, &name, HASH_FIND, &found);

	if (found)
		return &sums->segments[entry->number];
	if (sums->nsegments > RECSYS_SEGMENTS_MAX)
		sums->lacks_segments = true;
	if (sums->lacks_segments)
		return NULL;
	(void) add_segment(sums, name);
	name = sums->segments[sums->nsegments - 1].name;
	entry = hash_search(sums->by_name, &name, HASH_ENTER, &found);
	entry->number = sums->nsegments - 1;
	return &sums->segments[entry->number];
}

static void
add_number(MemoryContext context, RecsysExactSum **sum, double number)
{
	if (number == 0)
		return;
	if (*sum == NULL)
	{
		*sum = MemoryContextAlloc(context, sizeof(RecsysExactSum));
		RecsysExactSumInit(*sum);
	}
	RecsysExactSumAdd(*sum, number);
}

static void
add_unit(MemoryContext context, ArmTotals *arm, bool fresh, const double columns[][RECSYS_UNIT_COLUMNS])
{
	arm->units++;
	arm->fresh += fresh;
	for (int m = 0; m < RecsysMetricNameCount; m++)
	{
		RecsysExactSum **sum = arm->metrics[m].sum;
		int			place = RECSYS_UNIT_COLUMNS;

		for (int i = 0; i < RECSYS_UNIT_COLUMNS; i++)
		{
			add_number(context, &sum[i], columns[m][i]);
			for (int j = i; j < RECSYS_UNIT_COLUMNS; j++)
				add_number(context, &sum[place++], columns[m][i] * columns[m][j]);
		}
	}
}

void
RecsysUnitSumsAdd(RecsysUnitSums *sums, const char *segment, int variant, bool fresh,
				  const double figures[RECSYS_UNIT_FIGURES])
{
	double		columns[RECSYS_METRICS_MAX][RECSYS_UNIT_COLUMNS];
	SegmentTotals *of = segment[0] == '\0' ? NULL : find_segment(sums, segment);

	for (int m = 0; m < RecsysMetricNameCount; m++)
		RecsysMetricColumns(m, figures, columns[m]);
	add_unit(sums->context, &sums->segments[0].arms[variant], fresh, columns);
	if (of != NULL)
		add_unit(sums->context, &of->arms[variant], fresh, columns);
}

static double
rounded(const RecsysExactSum *sum)
{
	return sum == NULL ? 0 : RecsysExactSumGet(sum);
}

static void
get_metric(const MetricSums *from, double units, RecsysArmSums *to)
{
	int			place = RECSYS_UNIT_COLUMNS;

	to->units = units;
	for (int i = 0; i < RECSYS_UNIT_COLUMNS; i++)
	{
		to->sum[i] = rounded(from->sum[i]);
		for (int j = i; j < RECSYS_UNIT_COLUMNS; j++)
			to->product[i][j] = to->product[j][i] = rounded(from->sum[place++]);
	}
}

static void
get_arm(const ArmTotals *from, RecsysArmFigures *to)
{
	to->units = from->units;
	to->fresh = from->fresh;
	to->sums = palloc(sizeof(RecsysArmSums) * RecsysMetricNameCount);
	for (int m = 0; m < RecsysMetricNameCount; m++)
		get_metric(&from->metrics[m], from->units, &to->sums[m]);
}

static int
compare_segments(const void *a, const void *b)
{
	return strcmp(((const RecsysSegmentFigures *) a)->name, ((const RecsysSegmentFigures *) b)->name);
}

void
RecsysUnitSumsGet(const RecsysUnitSums *sums, RecsysExperimentFigures *figures)
{
	figures->lacks_segments = sums->lacks_segments;
	figures->nvariants = sums->nvariants;
	figures->nsegments = sums->lacks_segments ? 1 : sums->nsegments;
	figures->segments = palloc(sizeof(RecsysSegmentFigures) * figures->nsegments);
	for (int s = 0; s < figures->nsegments; s++)
	{
		figures->segments[s].name = pstrdup(sums->segments[s].name);
		figures->segments[s].arms = palloc(sizeof(RecsysArmFigures) * sums->nvariants);
		for (int v = 0; v < sums->nvariants; v++)
			get_arm(&sums->segments[s].arms[v], &figures->segments[s].arms[v]);
	}
	/* "" comes first */
	qsort(figures->segments, figures->nsegments, sizeof(RecsysSegmentFigures), compare_segments);
}
