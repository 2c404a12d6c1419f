/*
 * banditslots.c
 *	  Candidates for places of a list, and who may be shown which of them.
 *
 * An item is a candidate for one of the places only, by its hash.  So the places choose
 * independently, no item stands at two of them, and the probability of what stands at a place is the
 * very share that it was drawn by.  It also is compared with what the base list brings at that place,
 * not with what it brings where everybody looks first.
 *
 * At each place the base list's item is one of the arms: where candidates are not worth their
 * place it stays.
 */
#include "postgres.h"

#include "api/call/distributed.h"
#include "api/declare/servedname.h"
#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"
#include "api/route/banditchoice.h"
#include "api/route/banditfeatures.h"
#include "api/route/banditslots.h"
#include "api/route/banditview.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "source/input/keytext.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

/* Items that are looked at, and so many of them are candidates for a place at a time. */
#define MOST_ITEMS 10000
#define MOST_CANDIDATES 100

#define KEPT_MS 1000

/* Which of the places is an item's: each has one, so that no two places can choose the same. */
static int
bandit_place_of(const RecsysBandit *bandit, const char *item)
{
	return (int) (hash_bytes((const unsigned char *) item, strlen(item)) % (uint32) bandit->nplaces);
}

static char *
candidates_query(const RecsysBandit *bandit, const RecsysDefinition *definition)
{
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT (%s.%s)::pg_catalog.text FROM %s AS %s WHERE (%s)",
					 definition->items_alias, definition->item_key, definition->items,
					 definition->items_alias, bandit->candidates);
	if (definition->item_filter != NULL)
		appendStringInfo(&query, " AND (%s)", definition->item_filter);
	appendStringInfo(&query, " AND %s.%s IS NOT NULL ORDER BY %s.%s LIMIT %d",
					 definition->items_alias, definition->item_key,
					 definition->items_alias, definition->item_key, MOST_ITEMS);
	return query.data;
}

static RecsysShop *
need_shop(const RecsysBandit *bandit)
{
	RecsysShop *shop = RecsysServedShop(bandit->recommender);

	if (shop == NULL || shop->definition->items == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 shop == NULL ?
				 errmsg("recommender \"%s\" does not exist", bandit->recommender) :
				 errmsg("recommender \"%s\" has no table of items any more", bandit->recommender),
				 errdetail("Bandit \"%s\" fills places of its lists.", bandit->name)));
	return shop;
}

/* Between SPI_connect and SPI_finish, and while the shop is in use; items are palloc'd in `in`. */
static int
read_candidates(const RecsysBandit *bandit, RecsysShop *shop, MemoryContext in, const char ***items)
{
	RecsysPlan *plan = RecsysBanditPlan(shop, "candidates",
										candidates_query(bandit, shop->definition), 0, NULL);
	MemoryContext old;
	int			n;

	RecsysPlanRun(plan, NULL, NULL, 0);
	n = (int) SPI_processed;
	old = MemoryContextSwitchTo(in);
	*items = palloc(sizeof(char *) * Max(n, 1));
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		value = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc, 1, &isnull);

		(*items)[i] = TextDatumGetCString(value);
	}
	MemoryContextSwitchTo(old);
	SPI_freetuptable(SPI_tuptable);
	return n;
}

int
RecsysBanditCandidates(const RecsysBandit *bandit, const char ***items)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysShop *shop = need_shop(bandit);
	int			n;

	RecsysUseShop(shop);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	n = read_candidates(bandit, shop, context, items);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
	RecsysReleaseShop(shop);
	return n;
}

/*
 * The same, looked for once a second at most: whether one of them may be shown is asked each time, of
 * the shop's table.  Good until the next query is run.
 */
static int
candidates_now(const RecsysBandit *bandit, const char *const **items)
{
	static MemoryContext context = NULL;
	static uint64 serial;
	static Oid	role;
	static TimestampTz looked_at;
	static const char **found;
	static int	nfound;

	if (context == NULL || serial != bandit->serial || role != GetUserId() || bandit->has_seed ||
		TimestampDifferenceExceeds(looked_at, GetCurrentTimestamp(), KEPT_MS))
	{
		MemoryContext fresh = AllocSetContextCreate(CurrentMemoryContext, "recsys candidates",
													ALLOCSET_SMALL_SIZES);
		MemoryContext old = MemoryContextSwitchTo(fresh);
		const char **now;
		int			n = RecsysBanditCandidates(bandit, &now);

		MemoryContextSwitchTo(old);
		if (context != NULL)
			MemoryContextDelete(context);
		MemoryContextSetParent(fresh, CacheMemoryContext);
		context = fresh;
		found = now;
		nfound = n;
		serial = bandit->serial;
		role = GetUserId();
		looked_at = GetCurrentTimestamp();
	}
	*items = found;
	return nfound;
}

static int
compare_slots(const void *a, const void *b)
{
	uint32		left = *(const uint32 *) a;
	uint32		right = *(const uint32 *) b;

	return left < right ? -1 : left > right;
}

static bool
is_among(uint32 slot, const uint32 *slots, int n)
{
	return n > 0 && bsearch(&slot, slots, n, sizeof(uint32), compare_slots) != NULL;
}

static bool
is_excluded(const RecsysShopProfile *profile, uint32 slot)
{
	for (int i = 0; i < profile->nexcluded; i++)
		if (profile->excluded[i] == slot)
			return true;
	return false;
}

/* May the user see it, as far as the history is concerned? */
static bool
is_unseen(const RecsysShopProfile *profile, RecsysItems *items, const RecsysItemRow *row)
{
	if (is_excluded(profile, row->slot))
		return false;
	if (row->is_repeatable)
		return true;
	return !is_among(row->slot, profile->seen, profile->nseen) &&
		(row->group == 0 || !RecsysItemsHasGroup(items, row, profile->seen, profile->nseen));
}

static bool
is_listed(const RecsysRoutedList *list, const char *item)
{
	for (int i = 0; i < list->count; i++)
		if (strcmp(list->items[i], item) == 0)
			return true;
	return false;
}

/* Which of n candidates may be shown to the user */
static void
find_eligible(const RecsysShopProfile *profile, const char *const *candidates, int n,
			  const RecsysRoutedList *list, bool *eligible)
{
	RecsysItems *items = RecsysItemsBegin(profile);
	Oid			type = profile->evidence[0].events.columns.item_type;
	uint32	   *slots = palloc(sizeof(uint32) * n);
	RecsysItemRow *rows = palloc(sizeof(RecsysItemRow) * n);
	int			nrows;
	int			row = 0;

	for (int i = 0; i < n; i++)
	{
		RecsysKey	key;

		RecsysKeyFromText(type, candidates[i], &key);
		slots[i] = RecsysCatalogueSlot(profile->catalogue, &key);
	}

	/* those that pass come in the order given */
	nrows = RecsysItemsAmong(items, slots, n, rows);
	for (int i = 0; i < n; i++)
	{
		bool		passes = row < nrows && slots[i] == rows[row].slot;

		eligible[i] = passes && is_unseen(profile, items, &rows[row]) &&
			!is_listed(list, candidates[i]);
		if (passes)
			row++;
	}
	RecsysItemsEnd(items);
}

/* The same, for a user's key as text */
static void
read_eligible(RecsysShop *shop, const RecsysRoute *route, const char *user,
			  const RecsysRoutedList *list, const char *const *candidates, int n, bool *eligible)
{
	Oid			item_type;
	RecsysShopProfile *profile;
	RecsysRecommender first;
	RecsysContext *request;
	RecsysKey	key;

	RecsysOpenUndivided(shop->definition->signals[0].events, &first);
	item_type = first.columns.item_type;
	if (user != NULL)
		RecsysKeyFromText(first.columns.user_type, user, &key);
	RecsysCloseRecommender(&first);
	request = RecsysContextRead(route->slots->context, item_type);
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	profile = RecsysShopProfileRead(shop, user != NULL ? &key : NULL, request, true, NULL,
									CurrentMemoryContext);
	find_eligible(profile, candidates, n, list, eligible);
	RecsysShopProfileClose(profile);
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

int
RecsysBanditOfPlace(const RecsysBandit *bandit, int number, const char *const *items, int n,
					const char ***candidates)
{
	RecsysBanditState *state = RecsysBanditNow(bandit);
	const char **chosen = palloc(sizeof(char *) * MOST_CANDIDATES);
	int			count = 0;

	*candidates = chosen;
	for (int i = 0; i < n && count < MOST_CANDIDATES; i++)
	{
		const RecsysBanditArm *arm;

		if (bandit_place_of(bandit, items[i]) != number)
			continue;
		arm = RecsysFindBanditArm(state, items[i], bandit->places[number], false);
		if (arm == NULL || arm->retired_at == 0)
			chosen[count++] = pstrdup(items[i]);
	}
	return count;
}

/* The candidates of a place, and which of them may be shown */
typedef struct Place
{
	const char **candidates;
	bool	   *eligible;
	int			count;
} Place;

static void
fill_place(RecsysBandit *bandit, int number, const Place *of, RecsysRoutedList *list)
{
	int			place = bandit->places[number];
	double	   *shares = palloc(sizeof(double) * (of->count + 1));
	RecsysRandom random;
	int			chosen;

	RecsysBanditPlaceSharesAmong(bandit, place, of->candidates, of->eligible, of->count, shares);
	RecsysBanditRandom(bandit, &random);
	chosen = RecsysDrawArm(shares, of->count + 1, &random);
	list->propensities[place - 1] *= shares[chosen];
	if (chosen == 0)
		return;
	list->items[place - 1] = of->candidates[chosen - 1];
	list->arms[place - 1] = RECSYS_CANDIDATE_ARM;
	if (list->scores != NULL)
		list->scores[place - 1] = 0;
	if (list->sources != NULL)
		list->sources[place - 1] = "explored";
}

/* Who may be shown which of them is asked at once, of all places. */
static void
fill_places(RecsysBandit *bandit, const RecsysRoute *route, const char *user, RecsysRoutedList *list)
{
	Place	   *places = palloc0(sizeof(Place) * bandit->nplaces);
	const char *const *items;
	const char **all = palloc(sizeof(char *) * bandit->nplaces * MOST_CANDIDATES);
	bool	   *eligible = palloc(sizeof(bool) * bandit->nplaces * MOST_CANDIDATES);
	int			nitems = candidates_now(bandit, &items);
	int			n = 0;

	for (int i = 0; i < bandit->nplaces && bandit->places[i] <= list->count; i++)
	{
		places[i].count = RecsysBanditOfPlace(bandit, i, items, nitems, &places[i].candidates);
		places[i].eligible = eligible + n;
		for (int x = 0; x < places[i].count; x++)
			all[n++] = places[i].candidates[x];
	}
	if (n > 0)
	{
		RecsysShop *shop = need_shop(bandit);

		RecsysUseShop(shop);
		read_eligible(shop, route, user, list, all, n, eligible);
		RecsysReleaseShop(shop);
	}
	for (int i = 0; i < bandit->nplaces; i++)
		if (places[i].count > 0)
			fill_place(bandit, i, &places[i], list);
}

void
RecsysFillSlots(const RecsysRoute *route, const char *user, int k, RecsysRoutedList *list)
{
	RecsysBandit *bandit;

	if (route->slots == NULL || list->count == 0)
		return;
	bandit = RecsysFindBandit(route->bandit);
	if (bandit == NULL || bandit->nplaces == 0)
		return;
	list->propensities = palloc(sizeof(double) * list->count);
	list->arms = palloc(sizeof(char *) * list->count);
	for (int i = 0; i < list->count; i++)
	{
		list->propensities[i] = route->propensity;
		list->arms[i] = route->recommender;
	}
	if (bandit->places[0] <= list->count)
		fill_places(bandit, route, user, list);
}
