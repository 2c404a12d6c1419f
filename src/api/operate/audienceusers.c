/*
 * audienceusers.c
 *	  Who may be part of an audience: by the profiles, and by the life cycle.
 *
 * Only profiles that differ from what holds for users without one are kept in memory.  Where
 * consent is declared, who has no profile has given none, and NULL is none either.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/declare/customersquery.h"
#include "api/declare/popularity.h"
#include "api/operate/audienceusers.h"
#include "api/operate/queryanswer.h"
#include "api/profile/personas.h"
#include "core/rows/dictionary.h"
#include "lib/stringinfo.h"
#include "source/input/clock.h"
#include "source/input/query.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define USER_MAY 1				/* is neither excluded nor without consent */
#define USER_BELONGS 2			/* to the segment */

struct RecsysAudienceUsers
{
	RecsysDictionary *known;
	uint8	   *flags;			/* of those */
	uint32		room;
	uint8		otherwise;		/* of users who are not known */
	const char *persona;		/* whose persona it is belongs, too; NULL: none */
	int64		gap;
	int64		now;
	MemoryContext context;
};

static void
start_users(void *arg, TupleDesc desc)
{
}

static void
add_user(void *arg, HeapTuple tuple, TupleDesc desc)
{
	RecsysAudienceUsers *users = arg;
	Datum		values[3];
	bool		nulls[3];
	RecsysKey	key;
	MemoryContext old;
	uint32		number;

	heap_deform_tuple(tuple, desc, values, nulls);
	RecsysKeyFromDatum(TupleDescAttr(desc, 0)->atttypid, values[0], &key);

	/* no user of an index has such a key */
	if (key.len > RECSYS_MAX_KEY_LEN)
		return;
	old = MemoryContextSwitchTo(users->context);
	number = RecsysDictionaryIntern(users->known, &key);
	if (number >= users->room)
	{
		users->room = Max(1024, users->room * 2);
		users->flags = users->flags == NULL ? palloc(users->room) :
			repalloc_huge(users->flags, users->room);
	}
	users->flags[number] = (DatumGetBool(values[1]) ? USER_MAY : 0) |
		(DatumGetBool(values[2]) ? USER_BELONGS : 0);
	MemoryContextSwitchTo(old);
}

static char *
users_query(const RecsysDefinition *definition, const RecsysAudienceUsers *users,
			RecsysKeyKind kind, const char *segment)
{
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "SELECT u, may, belongs FROM (SELECT u, consent AND NOT excluded AS may, ");
	if (segment == NULL)
		appendStringInfoString(&out, "true");
	else
	{
		appendStringInfoString(&out, "(false");
		for (int i = 0; i < definition->nsegments; i++)
			appendStringInfo(&out, " OR s%d = %s", i + 1, quote_literal_cstr(segment));
		appendStringInfoString(&out, ") IS TRUE");
	}
	appendStringInfoString(&out, " AS belongs FROM (");
	RecsysAppendCustomers(&out, definition, kind);
	appendStringInfo(&out, ") AS c) AS f WHERE may <> %s OR belongs <> %s",
					 users->otherwise & USER_MAY ? "true" : "false",
					 users->otherwise & USER_BELONGS ? "true" : "false");
	return out.data;
}

RecsysAudienceUsers *
RecsysReadAudienceUsers(RecsysShop *shop, const RecsysRecommender *events,
						const char *segment)
{
	const RecsysDefinition *definition = shop->definition;
	RecsysAudienceUsers *users = palloc0(sizeof(RecsysAudienceUsers));
	double		seconds;

	users->context = CurrentMemoryContext;
	users->known = RecsysDictionaryCreate(events->columns.user_kind, 0);
	users->otherwise = (definition->consent == NULL ? USER_MAY : 0) |
		(segment == NULL ? USER_BELONGS : 0);
	users->now = RecsysNow(events->columns.time_type);
	for (int i = 0; segment != NULL && i < RECSYS_PERSONAS; i++)
		if (strcmp(segment, RecsysPersonaNames[i]) == 0)
			users->persona = RecsysPersonaNames[i];
	if (users->persona != NULL && RecsysReadFigure(definition->name, "typical_gap", &seconds, 1) == 1)
		users->gap = (int64) (seconds * 1e6);
	if (definition->profiles != NULL)
		RecsysRunShopQuery(shop, users_query(definition, users, events->columns.user_kind, segment),
						   start_users, add_user, users);
	return users;
}

static bool
has_persona(const RecsysAudienceUsers *users, const RecsysInteraction *rows, int nrows)
{
	int64		first;
	int64		latest;
	int64		acts = RecsysCountActs(rows, nrows, users->now, &first, &latest);
	const char *persona;

	/* rows without times tell nothing of a life cycle */
	if (acts == 0)
		return false;
	persona = RecsysPersonaOf(first, latest, acts, users->now, users->gap);
	return persona != NULL && strcmp(persona, users->persona) == 0;
}

bool
RecsysIsInAudience(const RecsysAudienceUsers *users, const RecsysKey *user,
				   const RecsysInteraction *rows, int nrows)
{
	uint32		number = RecsysDictionaryFind(users->known, user);
	uint8		flags = number == RECSYS_NONE ? users->otherwise : users->flags[number];

	if (!(flags & USER_MAY))
		return false;
	return (flags & USER_BELONGS) || (users->persona != NULL && has_persona(users, rows, nrows));
}
