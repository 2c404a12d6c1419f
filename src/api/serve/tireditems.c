/*
 * tireditems.c
 *	  Items that a user has been shown in vain, and what is left of their scores.
 *
 * The log has keys as text, and whatever a shop has put there.  What is no key of the
 * recommender's items is passed over: a list must not fail because of what was logged.
 */
#include "postgres.h"

#include "api/log/shown.h"
#include "api/serve/tireditems.h"
#include "catalog/pg_type.h"
#include "core/arrange/fatigue.h"
#include "source/input/keytext.h"
#include "utils/builtins.h"

/* An integer as the server writes it */
static bool
read_integer(const char *text, RecsysKey *key)
{
	char	   *end;

	errno = 0;
	key->number = strtoll(text, &end, 10);
	key->data = NULL;
	key->len = sizeof(int64);
	return errno == 0 && end != text && *end == '\0';
}

static int
digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* A UUID as the server writes it: 32 digits, and a dash behind the 8th, 12th, 16th and 20th */
static bool
read_uuid(const char *text, RecsysKey *key)
{
	unsigned char *bytes = palloc(16);
	int			digits = 0;

	for (const char *c = text; *c != '\0'; c++)
	{
		int			value = digit_value(*c);

		if (c - text == 8 || c - text == 13 || c - text == 18 || c - text == 23)
		{
			if (*c != '-')
				return false;
			continue;
		}
		if (value < 0 || digits == 32)
			return false;
		bytes[digits / 2] = (unsigned char) (digits % 2 == 0 ? value << 4 : bytes[digits / 2] | value);
		digits++;
	}
	key->number = 0;
	key->data = (const char *) bytes;
	key->len = 16;
	return digits == 32;
}

static bool
read_key(RecsysKeyKind kind, const char *text, RecsysKey *key)
{
	switch (kind)
	{
		case RECSYS_KEY_INT:
			return read_integer(text, key);
		case RECSYS_KEY_UUID:
			return read_uuid(text, key);
		case RECSYS_KEY_TEXT:
			key->number = 0;
			key->data = text;
			key->len = (uint32) strlen(text);
			return key->len <= RECSYS_MAX_KEY_LEN;
	}
	return false;
}

typedef struct TiredItem
{
	uint32		slot;
	double		impressions;
} TiredItem;

static int
compare_slots(const void *a, const void *b)
{
	const TiredItem *left = a;
	const TiredItem *right = b;

	return (left->slot > right->slot) - (left->slot < right->slot);
}

/* Those that can be items, each once: "7" and "07" are one. */
static int
find_items(const RecsysShopProfile *profile, const RecsysShownItem *shown, int n, TiredItem *items)
{
	RecsysKeyKind kind = RecsysCatalogueKind(profile->catalogue);
	int			found = 0;
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		RecsysKey	key;

		if (read_key(kind, shown[i].item, &key))
			items[found++] = (TiredItem) {RecsysCatalogueSlot(profile->catalogue, &key),
				shown[i].impressions};
	}
	qsort(items, found, sizeof(TiredItem), compare_slots);
	for (int i = 0; i < found; i++)
	{
		if (count > 0 && items[count - 1].slot == items[i].slot)
			items[count - 1].impressions += items[i].impressions;
		else
			items[count++] = items[i];
	}
	return count;
}

void
RecsysReadTiredItems(const RecsysShopProfile *profile, const RecsysKey *user,
					 RecsysTiredItems *tired)
{
	const RecsysDefinition *definition = profile->shop->definition;
	RecsysKeyKind kind = profile->evidence[0].events.columns.user_kind;
	RecsysShownItem *shown;
	TiredItem  *items;
	int			n;

	memset(tired, 0, sizeof(*tired));
	if (!(definition->fatigue > 0) || user == NULL)
		return;
	n = RecsysShownLately(TextDatumGetCString(RecsysKeyToValue(TEXTOID, kind, user)),
						  definition->fatigue_window, definition->name, definition->items,
						  definition->signals[0].events, &shown);
	items = palloc(sizeof(TiredItem) * Max(n, 1));
	tired->count = find_items(profile, shown, n, items);
	tired->slots = palloc(sizeof(uint32) * Max(tired->count, 1));
	tired->factors = palloc(sizeof(double) * Max(tired->count, 1));
	for (int i = 0; i < tired->count; i++)
	{
		tired->slots[i] = items[i].slot;
		tired->factors[i] = RecsysFatigueFactor(definition->fatigue, items[i].impressions);
	}
	pfree(items);
}

double
RecsysTiredFactor(const RecsysTiredItems *tired, uint32 slot)
{
	int			low = 0;
	int			high = tired->count;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (tired->slots[middle] < slot)
			low = middle + 1;
		else
			high = middle;
	}
	return low < tired->count && tired->slots[low] == slot ? tired->factors[low] : 1;
}
