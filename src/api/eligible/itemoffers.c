/*
 * itemoffers.c
 *	  Offers of one product: which of them is shown, and whether somebody has one of them.
 *
 * Values of group_by are the same if they read the same.  The table is asked for them by
 * their type's own equality, so that an index is of use; what is equal and reads otherwise,
 * as 1.0 and 1.00 do, is told apart here.
 */
#include "postgres.h"

#include "am/graph/itemorder.h"
#include "api/eligible/itemcall.h"
#include "api/eligible/itemkeys.h"
#include "catalog/pg_type.h"
#include "parser/parse_coerce.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

/* The best offers of the groups that are asked for */
typedef struct Offers
{
	RecsysItems *items;
	uint32		ngroups;		/* labels up to here are those asked for */
	RecsysItemRow *best;		/* by label; slot RECSYS_NONE: none has come up */
	bool	   *wanted;
	const Bitmapset *seen;		/* groups of which the user has an item */
} Offers;

/* Groups that come up */
typedef struct Groups
{
	RecsysItems *items;
	Bitmapset  *labels;
} Groups;

static bool
is_excluded(const RecsysShopProfile *profile, uint32 slot)
{
	for (int i = 0; i < profile->nexcluded; i++)
		if (profile->excluded[i] == slot)
			return true;
	return false;
}

static bool
is_seen(const RecsysShopProfile *profile, uint32 slot)
{
	return profile->nseen > 0 &&
		bsearch(&slot, profile->seen, profile->nseen, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

/* The user does not want it, or has it. */
static bool
is_out(const RecsysItems *items, const RecsysItemRow *row)
{
	const RecsysShopProfile *profile = items->profile;

	return is_excluded(profile, row->slot) ||
		(!row->is_repeatable && is_seen(profile, row->slot));
}

/* They come in the order of offers: the first one of a group that may be shown is it. */
static bool
take_offer(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Offers	   *offers = arg;
	RecsysItemRow row;

	RecsysDecodeItem(offers->items, slot, values, nulls, types, &row);
	if (row.group == 0 || row.group > offers->ngroups || !offers->wanted[row.group] ||
		offers->best[row.group].slot != RECSYS_NONE || is_out(offers->items, &row) ||
		(!row.is_repeatable && bms_is_member(row.group, offers->seen)))
		return true;
	RecsysKeepCaps(offers->items, &row);
	offers->best[row.group] = row;
	return true;
}

/* A function of group_by may be replaced while the call is under way. */
static void
check_group_type(RecsysItems *items, RecsysLabel group)
{
	Oid			type = RecsysItemLabelType(items->labels, group);

	if (!IsBinaryCoercible(type, items->plans->group_type))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("values of group_by are of type %s by now, not of type %s",
						format_type_be(type), format_type_be(items->plans->group_type)),
				 errcontext("\"group_by\" of recommender \"%s\"", items->definition->name)));
}

/* Each group of the rows once, as a value of the type by which they are compared */
static Datum
group_array(Offers *offers, const RecsysItemRow *rows, int n)
{
	RecsysItems *items = offers->items;
	Oid			type = items->plans->group_type;
	Datum	   *values = palloc(sizeof(Datum) * n);
	int16		length;
	bool		by_value;
	char		align;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		RecsysLabel group = rows[i].group;

		if (group == 0 || offers->wanted[group])
			continue;
		offers->wanted[group] = true;
		if (items->plans->group_equals != NULL)
			check_group_type(items, group);
		values[count++] = items->plans->group_equals != NULL ?
			RecsysItemLabelValue(items->labels, group) :
			CStringGetTextDatum(RecsysItemLabelText(items->labels, group));
	}
	if (count == 0)
		return (Datum) 0;
	get_typlenbyvalalign(type, &length, &by_value, &align);
	return PointerGetDatum(construct_array(values, count, type, length, by_value, align));
}

static bool
take_group(void *arg, uint32 slot, const Datum *values, const bool *nulls, const Oid *types)
{
	Groups	   *groups = arg;
	RecsysLabel label;
	MemoryContext old;

	if (nulls[1])
		return true;
	label = RecsysItemLabelOf(groups->items->labels, types[1], values[1]);
	old = MemoryContextSwitchTo(groups->items->context);
	groups->labels = bms_add_member(groups->labels, label);
	MemoryContextSwitchTo(old);
	return true;
}

static Bitmapset *
read_groups(RecsysItems *items, const uint32 *slots, int n)
{
	Groups		groups = {.items = items};

	if (n > 0)
		RecsysReadRows(items, RECSYS_QUERY_GROUPS, RECSYS_LIMIT_NONE,
					   RecsysItemKeyArray(items->profile->catalogue, items->plans->key_type,
										  slots, n),
					   RECSYS_SKIP_NEW_KEYS, take_group, &groups);
	return groups.labels;
}

/* Read once for a call: the same slots are asked for with every row. */
static const Bitmapset *
groups_of(RecsysItems *items, const uint32 *slots, int n)
{
	RecsysGroupsOf *known;

	for (known = items->groups_of; known != NULL; known = known->next)
		if (known->slots == slots && known->n == n)
			return known->groups;
	known = palloc(sizeof(RecsysGroupsOf));
	known->slots = slots;
	known->n = n;
	known->groups = read_groups(items, slots, n);
	known->next = items->groups_of;
	items->groups_of = known;
	return known->groups;
}

void
RecsysItemsOffers(RecsysItems *items, RecsysItemRow *rows, int n)
{
	MemoryContext old;
	Offers		offers = {.items = items, .ngroups = RecsysItemLabelCount(items->labels)};
	Datum		groups;

	if (items->plans == NULL || items->definition->offer_order == NULL || n == 0)
		return;
	old = MemoryContextSwitchTo(items->context);
	offers.best = palloc(sizeof(RecsysItemRow) * ((Size) offers.ngroups + 1));
	offers.wanted = palloc0(sizeof(bool) * ((Size) offers.ngroups + 1));
	for (uint32 i = 0; i <= offers.ngroups; i++)
		offers.best[i].slot = RECSYS_NONE;
	groups = group_array(&offers, rows, n);
	if (groups != (Datum) 0 && items->profile->nseen > 0)
		offers.seen = groups_of(items, items->profile->seen, items->profile->nseen);
	if (groups != (Datum) 0)
		RecsysReadRows(items, RECSYS_QUERY_OFFERS, RECSYS_LIMIT_NONE, groups,
					   RECSYS_NUMBER_NEW_KEYS, take_offer, &offers);
	for (int i = 0; i < n; i++)
		if (rows[i].group != 0 && offers.best[rows[i].group].slot != RECSYS_NONE)
			rows[i] = offers.best[rows[i].group];
	pfree(offers.best);
	pfree(offers.wanted);
	MemoryContextSwitchTo(old);
}

bool
RecsysItemsHasGroup(RecsysItems *items, const RecsysItemRow *row, const uint32 *slots, int n)
{
	MemoryContext old;
	bool		result;

	if (items->plans == NULL || row->group == 0 || n == 0)
		return false;
	old = MemoryContextSwitchTo(items->context);
	result = bms_is_member(row->group, groups_of(items, slots, n));
	MemoryContextSwitchTo(old);
	return result;
}
