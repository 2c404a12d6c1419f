/*
 * bought_together.c
 *	  frequently_bought_together(): the pairs of an item, as rules, straight from
 *	  the item graph.
 *
 * A graph row has the supports of the item's pairs and the item's number of
 * baskets; each neighbor's own row has that of the neighbor.  So an answer costs
 * one row for each neighbor that the index keeps, and is as old as the last merge.
 *
 * Two items that share a basket no more often than by chance are not bought together.
 * Such pairs are left out, whatever the order.  association_rules() has them too.
 */
#include "postgres.h"

#include "api/basket/rule_arguments.h"
#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/scoring/serving.h"

PG_FUNCTION_INFO_V1(recsys_frequently_bought_together);

typedef struct Partner
{
	uint32		item;
	int			rank;			/* among the neighbors: breaks ties */
	RecsysRuleCounts counts;
	double		order;			/* small ones come first */
} Partner;

typedef struct Partners
{
	Partner	   *partners;
	int			count;
} Partners;

static int
compare_partners(const void *a, const void *b)
{
	const Partner *left = a;
	const Partner *right = b;

	if (left->order != right->order)
		return left->order < right->order ? -1 : 1;
	if (left->counts.both != right->counts.both)
		return left->counts.both > right->counts.both ? -1 : 1;
	return left->rank - right->rank;
}

static void
note_users(void *arg, int position, RecsysGraphRow row)
{
	((Partners *) arg)->partners[position].counts.consequent = row->users;
}

/* The item's neighbors with their supports; the row is unlocked before others are read. */
static void
read_neighbors(RecsysGraphReader *reader, uint32 item, uint64 baskets, Partners *partners)
{
	RecsysGraphRow row = RecsysGraphReadRow(reader, item);
	uint32		peers[RECSYS_MAX_STORED];

	partners->count = row == NULL ? 0 : row->nneighbors;
	partners->partners = palloc0(sizeof(Partner) * Max(partners->count, 1));
	for (int i = 0; i < partners->count; i++)
	{
		Partner    *partner = &partners->partners[i];

		peers[i] = row->peers[i];
		partner->item = row->peers[i];
		partner->rank = i;
		partner->counts.both = RecsysRowSupports(row)[i];
		partner->counts.antecedent = row->users;
		partner->counts.baskets = baskets;
	}
	if (row != NULL)
		RecsysGraphReleaseRow(reader);
	RecsysGraphVisitRows(reader, peers, partners->count, note_users, partners);
}

/*
 * Rows are written one by one.  So for a moment, or as long as the graph is inexact,
 * counts need not agree.  Where a count is smaller than one of its parts, it is raised to
 * that.
 */
static void
reconcile(RecsysRuleCounts *counts)
{
	counts->both = Max(counts->both, 1);
	counts->antecedent = Max(counts->antecedent, counts->both);
	counts->consequent = Max(counts->consequent, counts->both);
	counts->baskets = Max(counts->baskets, counts->antecedent + counts->consequent - counts->both);
}

/* Is the lift above 1?  Counts have 32 bits, so that their products are exact. */
static bool
is_positive(const RecsysRuleCounts *counts)
{
	return counts->both * counts->baskets > counts->antecedent * counts->consequent;
}

/* Leaves out what is not positive, and finds the rest's place in the order. */
static void
choose_partners(Partners *partners, RecsysRuleMeasure order)
{
	int			kept = 0;

	for (int i = 0; i < partners->count; i++)
	{
		Partner    *partner = &partners->partners[i];
		double		value;

		reconcile(&partner->counts);
		if (!is_positive(&partner->counts))
			continue;
		value = RecsysRuleMeasureValue(order, &partner->counts);
		partner->order = RecsysRuleMeasureAscends(order) ? value : -value;
		partners->partners[kept++] = *partner;
	}
	partners->count = kept;
	if (kept > 1)
		qsort(partners->partners, kept, sizeof(Partner), compare_partners);
}

/* Arguments: item, k, recommender, order_by */
Datum
recsys_frequently_bought_together(PG_FUNCTION_ARGS)
{
	RecsysAnswer answer;
	RecsysRecommender recommender;
	RecsysGraphReader reader;
	RecsysRuleMeasure order;
	Partners	partners = {0};
	RecsysKey	key;
	uint32		item;
	int			k = RecsysArgK(fcinfo, 1);

	order = RecsysArgMeasure(RecsysArgText(fcinfo, 3), "order_by");
	if (order == RECSYS_RULE_ADJUSTED_P)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pairs have no adjusted p-value"),
				 errhint("Order by fisher_p, or mine association rules with adjust => true.")));
	RecsysAnswerInit(&answer, fcinfo);
	RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &recommender);
	RecsysAnswerCheckKind(&answer, recommender.columns.item_kind,
						  RelationGetRelationName(recommender.definition));

	RecsysGraphReaderInit(&reader, recommender.index);
	if (!PG_ARGISNULL(0))
	{
		RecsysArgKey(fcinfo, 0, recommender.columns.item_type, "item",
					 RelationGetRelationName(recommender.definition), &key);
		if (RecsysFindItem(&recommender, &key, &item))
			read_neighbors(&reader, item, RecsysRefreshCache(recommender.index)->meta.users,
						   &partners);
	}
	choose_partners(&partners, order);
	for (int i = 0; i < Min(k, partners.count); i++)
	{
		const RecsysRuleCounts *counts = &partners.partners[i].counts;
		Datum		values[7];
		bool		isnull[7] = {false, false, false, false, false, false, false};

		values[0] = RecsysAnswerItem(&answer, &reader, partners.partners[i].item);
		values[1] = Int64GetDatum((int64) counts->both);
		values[2] = Float8GetDatum(RecsysRuleMeasureValue(RECSYS_RULE_CONFIDENCE, counts));
		values[3] = Float8GetDatum(RecsysRuleMeasureValue(RECSYS_RULE_LIFT, counts));
		values[4] = Float8GetDatum(RecsysRuleMeasureValue(RECSYS_RULE_JACCARD, counts));
		values[5] = Float8GetDatum(RecsysRuleMeasureValue(RECSYS_RULE_FISHER_P, counts));
		values[6] = Int32GetDatum(i + 1);
		RecsysAnswerPut(&answer, values, isnull);
	}
	RecsysGraphReaderDone(&reader);
	RecsysCloseRecommender(&recommender);
	return (Datum) 0;
}
