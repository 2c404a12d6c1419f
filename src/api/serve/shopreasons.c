/*
 * shopreasons.c
 *	  Why a declared recommender lists an item: rows, a text and JSON.
 *
 * The score is a sum over what the user's signals say, times the factors of promotions, sellers
 * and prices.  As parts of a sum, a factor f that comes upon a score s says (f - 1) s; so all
 * parts together are the score.  What has no score is explained by where it is from.
 */
#include "postgres.h"

#include "api/eligible/fallback.h"
#include "api/call/arguments.h"
#include "api/order/reasons.h"
#include "api/order/shoporder.h"
#include "api/serve/shoplist.h"
#include "api/serve/shopreasons.h"
#include "api/shards/shopdispatch.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "source/input/keytext.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/lsyscache.h"

/* So many stand-ins are looked through at a time for where an item is from. */
#define STAND_INS 256

/* And so many candidates for other offers of a product */
#define OFFERS 256

/* A part as people and programs read it */
typedef struct Reason
{
	const char *part;			/* "history", "context", "popularity", "promotion", … */
	const RecsysSignal *signal; /* or NULL */
	const char *value;			/* of a segment or category, or NULL */
	uint32		because;		/* slot, or RECSYS_NONE */
	const RecsysCatalogue *other;	/* whose; NULL: the shop's */
	char	   *title;			/* of that item: its title, else its key */
	double		contribution;
	double		weight;			/* these three of interactions only */
	float		similarity;
	int64		support;		/* -1: unknown */
} Reason;

typedef struct Reasons
{
	Reason	   *reasons;
	int			count;
} Reasons;

char *
RecsysItemAsText(const RecsysAnswer *answer, Datum item)
{
	Oid			output;
	bool		varlena;

	getTypeOutputInfo(answer->item_type, &output, &varlena);
	return OidOutputFunctionCall(output, item);
}

static Reason *
add(Reasons *reasons, const char *part, double contribution)
{
	Reason	   *reason = &reasons->reasons[reasons->count++];

	memset(reason, 0, sizeof(*reason));
	reason->part = part;
	reason->contribution = contribution;
	reason->because = RECSYS_NONE;
	reason->support = -1;
	return reason;
}

/* What the signals say; returns its sum. */
static double
add_signals(RecsysFunnel *funnel, uint32 slot, Reasons *reasons)
{
	const RecsysDefinition *definition = RecsysFunnelProfile(funnel)->shop->definition;
	RecsysPart *parts;
	int			count = RecsysScoresExplain(RecsysFunnelScores(funnel), slot, &parts);
	double		sum = 0;

	reasons->reasons = MemoryContextAllocHuge(CurrentMemoryContext, sizeof(Reason) * ((Size) count + 8));
	for (int i = 0; i < count; i++)
	{
		const RecsysPart *part = &parts[i];
		Reason	   *reason = add(reasons, part->is_content ? "content" :
								 part->because == RECSYS_NONE ? "popularity" :
								 part->signal < 0 ? "context" : "history", part->contribution);

		reason->signal = part->signal < 0 ? NULL : &definition->signals[part->signal];
		reason->value = part->attributes;
		reason->because = part->because;
		reason->other = part->other;
		reason->weight = part->weight;
		reason->similarity = part->similarity;
		reason->support = part->support;
		sum += part->contribution;
	}
	return sum;
}

/* What the score of one slot is multiplied by where another one, or the same, is shown */
static void
add_factors(RecsysFunnel *funnel, uint32 slot, uint32 scored, double score, Reasons *reasons)
{
	double		boost = RecsysFunnelBoost(funnel, scored);
	double		boosted = score * boost;
	double		tired = boosted > 0 ? boosted * RecsysFunnelFatigue(funnel, slot, scored) : boosted;
	double		final = tired;
	RecsysItemRow row;
	int			chosen;

	if (boost != 1.0 && score != 0)
		add(reasons, "promotion", boosted - score);
	if (tired != boosted)
		add(reasons, "fatigue", tired - boosted);
	if (RecsysItemsKnown(RecsysFunnelItems(funnel), &slot, 1, &row) != 1)
		return;
	if (tired > 0)
		(void) RecsysOrderRows(RecsysFunnelProfile(funnel), RecsysFunnelItems(funnel), &row, &final, 1, 1,
							   true, &chosen);
	if (final != tired)
		add(reasons, "seller and price", final - tired);
	if (row.is_new)
		add(reasons, "new", 0);
}

/* Is the item among the stand-ins, or shown as the offer of one of them? */
static bool
stands_in(RecsysFunnel *funnel, uint32 slot, const uint32 *slots, int n)
{
	RecsysItems *items = RecsysFunnelItems(funnel);
	RecsysItemRow rows[STAND_INS];

	for (int i = 0; i < n; i++)
		if (slots[i] == slot)
			return true;
	if (RecsysFunnelProfile(funnel)->shop->definition->offer_order == NULL)
		return false;
	n = RecsysItemsAmong(items, slots, n, rows);
	RecsysItemsOffers(items, rows, n);
	for (int i = 0; i < n; i++)
		if (rows[i].slot == slot)
			return true;
	return false;
}

/* Where an item that has no score may be from; what passes is from somewhere. */
static void
add_stand_in(RecsysFunnel *funnel, uint32 slot, Reasons *reasons)
{
	RecsysFallback *fallback = RecsysFallbackBegin(RecsysFunnelProfile(funnel));
	uint32		slots[STAND_INS];
	RecsysItemRow row;
	const char *source;
	const char *value;
	int			count;
	bool		found = false;

	while (!found && (count = RecsysFallbackNext(fallback, STAND_INS, slots, &source, &value)) > 0)
		if (stands_in(funnel, slot, slots, count))
		{
			add(reasons, source, 0)->value = value == NULL ? NULL : pstrdup(value);
			found = true;
		}
	RecsysFallbackEnd(fallback);
	if (!found && RecsysItemsAmong(RecsysFunnelItems(funnel), &slot, 1, &row) == 1)
		add(reasons, RecsysUsersOf(RecsysFunnelProfile(funnel), slot) > 0 ? "popular" : "any", 0);
}

/* Is it because of an item of the shop, which may have a title? */
static bool
is_shown(const Reason *reason)
{
	return reason->because != RECSYS_NONE && reason->other == NULL;
}

/* The key of the item that is the reason */
static char *
key_as_text(const RecsysAnswer *answer, RecsysFunnel *funnel, const Reason *reason)
{
	RecsysKey	key;
	RecsysKeyKind kind;

	if (reason->other == NULL)
		return RecsysItemAsText(answer, RecsysShopItem(answer, funnel, reason->because));
	kind = RecsysCatalogueKind(reason->other);
	RecsysCatalogueKey(reason->other, reason->because, &key);
	return TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, &key));
}

static void
add_titles(RecsysFunnel *funnel, const RecsysAnswer *answer, Reasons *reasons)
{
	uint32	   *slots = palloc(sizeof(uint32) * Max(reasons->count, 1));
	char	  **titles;
	int			count = 0;

	for (int i = 0; i < reasons->count; i++)
		if (is_shown(&reasons->reasons[i]))
			slots[count++] = reasons->reasons[i].because;
	titles = RecsysItemsTitles(RecsysFunnelItems(funnel), slots, count);
	count = 0;
	for (int i = 0; i < reasons->count; i++)
	{
		Reason	   *reason = &reasons->reasons[i];

		if (reason->because == RECSYS_NONE)
			continue;
		if (is_shown(reason))
			reason->title = titles[count++];
		if (reason->title == NULL)
			reason->title = key_as_text(answer, funnel, reason);
	}
}

static char *
text_of(RecsysFunnel *funnel, const Reason *reason)
{
	const char *kind = reason->contribution < 0 && reason->because != RECSYS_NONE ? "negative" : reason->part;

	return RecsysReasonText(RecsysFunnelProfile(funnel)->shop->definition, kind, reason->signal, reason->title,
							reason->value != NULL || reason->signal == NULL ? reason->value : reason->signal->label);
}

static void
append_string(StringInfo json, const char *key, const char *value)
{
	if (value == NULL)
		return;
	appendStringInfo(json, ", \"%s\": ", key);
	escape_json(json, value);
}

static void
append_number(StringInfo json, const char *key, double value)
{
	appendStringInfo(json, ", \"%s\": %s", key,
					 DatumGetCString(DirectFunctionCall1(float8out, Float8GetDatum(value))));
}

static Datum
as_json(RecsysFunnel *funnel, const RecsysAnswer *answer, const RecsysListed *row, const Reasons *reasons)
{
	StringInfoData json;

	initStringInfo(&json);
	appendStringInfoString(&json, "{\"source\": ");
	escape_json(&json, row->source);
	append_string(&json, "value", row->detail);
	appendStringInfoString(&json, ", \"parts\": [");
	for (int i = 0; i < reasons->count; i++)
	{
		const Reason *reason = &reasons->reasons[i];

		appendStringInfo(&json, "%s{\"part\": ", i > 0 ? ", " : "");
		escape_json(&json, reason->part);
		append_string(&json, "signal", reason->signal != NULL ? reason->signal->label : NULL);
		append_string(&json, "value", reason->value);
		if (reason->because != RECSYS_NONE)
		{
			append_string(&json, "because", key_as_text(answer, funnel, reason));
			append_string(&json, "title", reason->title);
		}
		append_number(&json, "contribution", reason->contribution);
		appendStringInfoChar(&json, '}');
	}
	appendStringInfoString(&json, "]}");
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

void
RecsysShopReason(RecsysFunnel *funnel, const RecsysListed *row, RecsysAnswer *answer,
				 Datum *values, bool *isnull)
{
	Reasons		reasons = {0};
	double		score = add_signals(funnel, row->scored, &reasons);
	bool		has_parts = strcmp(row->source, "history") == 0 ||
		(strcmp(row->source, "content") == 0 && reasons.count > 0);

	if (row->base > 0)
		add_factors(funnel, row->slot, row->scored, score, &reasons);
	if (!has_parts)
		add(&reasons, row->source, 0)->value = row->detail;
	add_titles(funnel, answer, &reasons);

	/* what speaks for it most comes first; a stand-in has but what it is from */
	isnull[0] = reasons.count == 0;
	if (!isnull[0])
		values[0] = CStringGetTextDatum(text_of(funnel, !has_parts ?
												&reasons.reasons[reasons.count - 1] :
												&reasons.reasons[0]));
	values[1] = as_json(funnel, answer, row, &reasons);
	isnull[1] = false;
}

/*
 * Offers of a product count as one, and one is shown whichever has the score: of those that
 * may be shown the best one.
 */
static uint32
scored_offer(RecsysFunnel *funnel, uint32 slot)
{
	RecsysItems *items = RecsysFunnelItems(funnel);
	const RecsysShopProfile *profile = RecsysFunnelProfile(funnel);
	RecsysItemRow row;
	int			done = 0;

	/* without an order an offer is shown for its own score */
	if (profile->shop->definition->offer_order == NULL ||
		RecsysItemsKnown(items, &slot, 1, &row) != 1 || row.group == 0)
		return slot;
	for (;;)
	{
		RecsysLabel group = row.group;
		const RecsysScored *best;
		int			there = RecsysScoresBest(RecsysFunnelScores(funnel), done + OFFERS, true, &best);
		uint32		slots[OFFERS];
		RecsysItemRow rows[OFFERS];
		int			n = there - done;

		for (int i = 0; i < n; i++)
			slots[i] = best[done + i].item;
		n = RecsysItemsAmong(items, slots, n, rows);
		for (int i = 0; i < n; i++)
			if (rows[i].group == group &&
				(rows[i].is_repeatable ||
				 !RecsysItemsHasGroup(items, &rows[i], profile->seen, profile->nseen)))
				return rows[i].slot;
		if (there < done + OFFERS)
			return slot;
		done = there;
	}
}

/* The item that is the reason; false if there is none, or its key is of another type than items are. */
static bool
because_value(const RecsysAnswer *answer, RecsysFunnel *funnel, const Reason *reason, Datum *value)
{
	RecsysKey	key;

	*value = (Datum) 0;
	if (reason->because == RECSYS_NONE)
		return false;
	if (reason->other == NULL)
	{
		*value = RecsysShopItem(answer, funnel, reason->because);
		return true;
	}
	if (!RecsysKeyFitsType(answer->item_type, RecsysCatalogueKind(reason->other)))
		return false;
	RecsysCatalogueKey(reason->other, reason->because, &key);
	*value = RecsysKeyToValue(answer->item_type, RecsysCatalogueKind(reason->other), &key);
	return true;
}

static void
put_reason(RecsysFunnel *funnel, RecsysAnswer *answer, const Reason *reason, int rank)
{
	Datum		values[9];
	bool		isnull[9] = {false, false, false, false, false, false, false, false, false};
	bool		interaction = reason->because != RECSYS_NONE;

	isnull[0] = !because_value(answer, funnel, reason, &values[0]);
	values[1] = Float8GetDatum(reason->contribution);
	values[2] = Float8GetDatum(reason->weight);
	isnull[2] = !interaction;
	values[3] = Float4GetDatum(reason->similarity);
	isnull[3] = !interaction;
	values[4] = Int64GetDatum(reason->support);
	isnull[4] = reason->support < 0;
	values[5] = Int32GetDatum(rank);
	values[6] = CStringGetTextDatum(reason->part);
	isnull[7] = reason->signal == NULL;
	values[7] = isnull[7] ? (Datum) 0 : CStringGetTextDatum(reason->signal->label);
	values[8] = CStringGetTextDatum(text_of(funnel, reason));
	RecsysAnswerPut(answer, values, isnull);
}

void
RecsysShopExplain(FunctionCallInfo fcinfo, RecsysAnswer *answer, RecsysShop *shop)
{
	RecsysRecommender first;
	RecsysFunnel *funnel;
	RecsysKey	user;
	RecsysKey	item;
	uint32		slot;
	uint32		scored;
	int64		given;
	const int64 *half_life;
	Reasons		reasons = {0};
	double		score;
	RecsysUserPlace place;
	bool		elsewhere;

	RecsysShopOpenFirst(shop, answer, &first);
	if (!PG_ARGISNULL(0))
		RecsysArgKey(fcinfo, 0, first.columns.user_type, "user", shop->definition->name, &user);
	if (!PG_ARGISNULL(1))
		RecsysArgKey(fcinfo, 1, first.columns.item_type, "item", shop->definition->name, &item);
	half_life = RecsysShopHalfLife(fcinfo, 3, &first, shop, &given);
	elsewhere = !PG_ARGISNULL(0) && !PG_ARGISNULL(1) && RecsysShopUserIsElsewhere(shop, &first, &user, &place);
	if (elsewhere)
		RecsysAskShopReasons(shop, &first, &place, &item,
							 RecsysHasArgument(fcinfo, 3) ? PG_GETARG_INTERVAL_P(3) : NULL, answer);
	RecsysCloseRecommender(&first);
	if (PG_ARGISNULL(0) || PG_ARGISNULL(1) || elsewhere)
		return;

	funnel = RecsysFunnelOpen(shop, &user, NULL, true, half_life);
	slot = RecsysCatalogueSlot(RecsysFunnelProfile(funnel)->catalogue, &item);
	scored = scored_offer(funnel, slot);
	score = add_signals(funnel, scored, &reasons);
	add_factors(funnel, slot, scored, score, &reasons);
	if (score <= 0)
		add_stand_in(funnel, slot, &reasons);
	add_titles(funnel, answer, &reasons);
	for (int i = 0; i < reasons.count; i++)
		put_reason(funnel, answer, &reasons.reasons[i], i + 1);
	RecsysFunnelClose(funnel);
}
