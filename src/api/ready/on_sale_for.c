/*
 * on_sale_for.c
 *	  on_sale_for(): what a user is likely to take that costs less than it usually does.
 *
 * Of the best candidates that recommend() has for the user, those whose price is at least
 * LEAST_DISCOUNT below the usual one, by score * (1 + discount): half the price counts as much
 * as one and a half times the score.  Only the MOST_CANDIDATES best are looked at, so that a call
 * costs a few look-ups into the price history whatever the catalogue's size; somebody of whom
 * nothing is known has no candidates, and gets no rows.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/answer.h"
#include "api/call/arguments.h"
#include "api/call/recommender.h"
#include "api/declare/servedname.h"
#include "api/ready/usualprices.h"
#include "api/serve/shoplist.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(recsys_on_sale_for);
PG_FUNCTION_INFO_V1(recsys_on_sale_for_typed);
PG_FUNCTION_INFO_V1(recsys_on_sale_for_text);

#define LEAST_DISCOUNT	0.05
#define MOST_CANDIDATES 1000
#define AT_ONCE			250

/* Where offers shown are not on sale, a list is made again so many times. */
#define MOST_LISTS		10

typedef struct Sale
{
	uint32		slot;
	double		score;
	double		price;
	double		usual;
	double		discount;		/* a share of the usual price */
} Sale;

/* Adds those of n candidates that pass and are on sale; returns how many there are then. */
static int
add_sales(RecsysFunnel *funnel, const RecsysScored *candidates, int n, Sale *sales, int nsales)
{
	RecsysItemRow *rows = palloc(sizeof(RecsysItemRow) * n);
	uint32	   *slots = palloc(sizeof(uint32) * n);
	double	   *usual = palloc(sizeof(double) * n);
	int			npassing;
	int			candidate = 0;

	for (int i = 0; i < n; i++)
		slots[i] = candidates[i].item;
	npassing = RecsysItemsAmong(RecsysFunnelItems(funnel), slots, n, rows);
	for (int i = 0; i < npassing; i++)
		slots[i] = rows[i].slot;
	RecsysUsualPricesOf(RecsysFunnelProfile(funnel), slots, npassing, usual);
	for (int i = 0; i < npassing; i++)
	{
		double		discount = 1 - rows[i].price / usual[i];

		/* those that pass stand in the order of the candidates */
		while (candidates[candidate].item != rows[i].slot)
			candidate++;
		if (rows[i].price > 0 && discount >= LEAST_DISCOUNT)
			sales[nsales++] = (Sale)
		{
			rows[i].slot, candidates[candidate].score * (1 + discount), rows[i].price, usual[i], discount
		};
	}
	pfree(usual);
	pfree(slots);
	pfree(rows);
	return nsales;
}

static int
find_sales(RecsysFunnel *funnel, Sale *sales)
{
	int			done = 0;
	int			nsales = 0;

	while (done < MOST_CANDIDATES)
	{
		const RecsysScored *best;
		int			n = RecsysScoresBest(RecsysFunnelScores(funnel), done + AT_ONCE, false, &best);

		CHECK_FOR_INTERRUPTS();
		if (n <= done)
			break;
		n = Min(n, done + AT_ONCE);
		nsales = add_sales(funnel, best + done, n - done, sales, nsales);
		done = n;
	}
	return nsales;
}

static int
compare_sales(const void *a, const void *b, void *order)
{
	const Sale *left = a;
	const Sale *right = b;

	if (left->score != right->score)
		return left->score > right->score ? -1 : 1;
	return RecsysKeyOrderCompare(order, left->slot, right->slot);
}

static const Sale *
find_sale(const Sale *sales, int n, uint32 slot)
{
	for (int i = 0; i < n; i++)
		if (sales[i].slot == slot)
			return &sales[i];
	return NULL;
}

static void
put_sale(RecsysAnswer *answer, Datum item, const Sale *sale, int rank)
{
	Datum		values[6];
	bool		isnull[6] = {false, false, false, false, false, false};

	values[0] = item;
	values[1] = Float4GetDatum((float) sale->score);
	values[2] = Float8GetDatum(sale->price);
	values[3] = Float8GetDatum(sale->usual);
	values[4] = Float4GetDatum((float) sale->discount);
	values[5] = Int32GetDatum(rank);
	RecsysAnswerPut(answer, values, isnull);
}

/* Takes what is listed with an offer that is not on sale out of what is ranked; returns how many are left. */
static int
drop_others(RecsysScored *ranked, int n, const RecsysListed *rows, int count, const Sale *sales, int nsales)
{
	for (int i = 0; i < count; i++)
	{
		int			left = 0;

		if (find_sale(sales, nsales, rows[i].slot) != NULL)
			continue;
		for (int x = 0; x < n; x++)
			if (ranked[x].item != rows[i].scored)
				ranked[left++] = ranked[x];
		n = left;
	}
	return n;
}

/*
 * Of a group the offer that is shown has to be on sale itself.  Where another one is shown, the
 * list is made again without it, so that it does not take the place of one that is.
 */
static int
list_sales(RecsysFunnel *funnel, const Sale *sales, int nsales, int k, const RecsysListed **rows)
{
	RecsysScored *ranked = palloc(sizeof(RecsysScored) * Max(nsales, 1));
	int			n = nsales;
	int			count;

	for (int i = 0; i < nsales; i++)
		ranked[i] = (RecsysScored) {sales[i].slot, (float) sales[i].score};
	for (int again = 0;; again++)
	{
		int			left;

		CHECK_FOR_INTERRUPTS();
		count = RecsysFunnelRankedSlots(funnel, ranked, n, k, rows);
		left = drop_others(ranked, n, *rows, count, sales, nsales);
		if (left == n || again == MOST_LISTS)
			return count;
		n = left;
	}
}

static void
put_sales(RecsysAnswer *answer, RecsysShop *shop, const RecsysKey *user, Jsonb *context, int k)
{
	RecsysFunnel *funnel = RecsysFunnelOpen(shop, user, context, true, NULL);
	RecsysKeyOrder order = RecsysCatalogueOrder(RecsysFunnelProfile(funnel)->catalogue);
	Sale	   *sales = palloc(sizeof(Sale) * (MOST_CANDIDATES + AT_ONCE));
	int			n = find_sales(funnel, sales);
	const RecsysListed *rows;
	int			count;
	int			rank = 0;

	qsort_arg(sales, n, sizeof(Sale), compare_sales, &order);
	count = list_sales(funnel, sales, n, k, &rows);
	for (int i = 0; i < count; i++)
	{
		const Sale *sale = find_sale(sales, n, rows[i].slot);

		if (sale != NULL)
			put_sale(answer, RecsysShopItem(answer, funnel, rows[i].slot), sale, ++rank);
	}
	RecsysFunnelClose(funnel);
}

static void
check_declared(const RecsysShop *shop)
{
	const RecsysDefinition *definition = shop->definition;

	if (definition->price == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no prices", definition->name),
				 errhint("Declare items, item_key, price and price_history with recsys.alter_recommender.")));
	if (definition->price_history == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no price history", definition->name),
				 errhint("Declare it with recsys.alter_recommender, as in price_history => '{\"table\": \"prices\", \"item\": \"product_id\", \"price\": \"price\", \"time\": \"valid_from\"}'.")));
}

/* Arguments: user, k, recommender, and the context at a given place */
static void
on_sale_for(FunctionCallInfo fcinfo, int context)
{
	RecsysShop *shop = RecsysServedShop(RecsysArgText(fcinfo, 2));
	int			k = RecsysArgK(fcinfo, 1);
	RecsysRecommender first;
	RecsysAnswer answer;
	RecsysKey	user;

	RecsysAnswerInit(&answer, fcinfo);
	if (shop == NULL)
	{
		RecsysOpenRecommender(RecsysArgText(fcinfo, 2), &first);
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" is an index and knows no prices",
						RelationGetRelationName(first.definition)),
				 errhint("Declare price and price_history with recsys.create_recommender.")));
	}
	RecsysOpenRecommender(shop->definition->signals[0].events, &first);
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, first.columns.user_type, "user", shop->definition->name, &user);
	RecsysAnswerCheckKind(&answer, first.columns.item_kind, shop->definition->name);
	RecsysCloseRecommender(&first);
	check_declared(shop);
	if (k > 0)
		put_sales(&answer, shop, PG_ARGISNULL(0) ? NULL : &user,
				  RecsysHasArgument(fcinfo, context) ? PG_GETARG_JSONB_P(context) : NULL, k);
}

Datum
recsys_on_sale_for(PG_FUNCTION_ARGS)
{
	on_sale_for(fcinfo, 3);
	return (Datum) 0;
}

/* The fourth argument only gives the type of the answer. */
Datum
recsys_on_sale_for_typed(PG_FUNCTION_ARGS)
{
	on_sale_for(fcinfo, 4);
	return (Datum) 0;
}

/* As of recommend: context as text, and NULL::text as the type of the items */
Datum
recsys_on_sale_for_text(PG_FUNCTION_ARGS)
{
	static const Oid types[] = {JSONBOID};

	on_sale_for(RecsysReadArguments(fcinfo, 3, types, lengthof(types)), 3);
	return (Datum) 0;
}
