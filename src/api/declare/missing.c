/*
 * missing.c
 *	  What to say when something that a definition names is gone.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/declare/parameters.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* What has been found so far of who has written a place in a query */
typedef struct PartSearch
{
	const char *query;
	int			place;
	const char *part;
	char	   *text;			/* the longest one around the place */
} PartSearch;

static void
try_text(PartSearch *search, const char *part, char *text, const char *as_written)
{
	int			length = strlen(as_written);
	const char *found = search->query;

	if (length == 0 || (search->text != NULL && length <= (int) strlen(search->text)))
		return;
	while ((found = strstr(found, as_written)) != NULL)
	{
		if (found - search->query <= search->place && search->place < found - search->query + length)
		{
			search->part = part;
			search->text = text;
			return;
		}
		found++;
	}
}

/* All texts in a value, keys too where they are expressions */
static void
try_value(PartSearch *search, const RecsysParameter *parameter, JsonbValue *value)
{
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbValue	element;
	char	   *text;
	bool		is_column = false;	/* of promotions or prices, not an expression over them */

	if (value->type == jbvString)
	{
		text = RecsysJsonValueText(value, parameter->name);
		try_text(search, parameter->name, text, parameter->kind != RECSYS_KEY_PARAMETER ? text :
				 psprintf("%s.%s", RecsysAliases[parameter->place], text));
	}
	if (value->type != jbvBinary)
		return;
	iterator = JsonbIteratorInit(value->val.binary.data);
	while ((token = JsonbIteratorNext(&iterator, &element, false)) != WJB_DONE)
	{
		if ((token == WJB_ELEM || token == WJB_VALUE || token == WJB_KEY) &&
			element.type == jbvString &&
			(token != WJB_KEY || strcmp(parameter->name, "caps") == 0))
		{
			text = RecsysJsonValueText(&element, parameter->name);
			try_text(search, parameter->name, text, !is_column ? text :
					 psprintf("%s.%s", RecsysAliases[parameter->place], text));
		}
		if (token == WJB_KEY)
			is_column = (parameter->place == RECSYS_PROMOTIONS || parameter->place == RECSYS_PRICE_HISTORY) &&
				element.val.string.len == 4 && memcmp(element.val.string.val, "item", 4) == 0;
	}
}

const char *
RecsysPartAt(Jsonb *declared, const char *query, int place, char **text)
{
	PartSearch	search = {.query = query, .place = place};

	for (int i = 0; i < RecsysParameterCount; i++)
	{
		JsonbValue	value;

		if (RecsysJsonGet(&declared->root, RecsysParameters[i].name, &value))
			try_value(&search, &RecsysParameters[i], &value);
	}
	*text = search.text;
	return search.part;
}

const char *
RecsysPartAtPosition(Jsonb *declared, const char *query, int position, char **text)
{
	const char *place = query;

	if (query == NULL || declared == NULL || position <= 0)
		return NULL;
	while (--position > 0 && *place != '\0')
		place += pg_mblen(place);
	return RecsysPartAt(declared, query, place - query, text);
}

/* Marks what needs what is marked, until nothing is added. */
static void
mark_needing(Jsonb *declared, bool *without)
{
	bool		more = true;

	while (more)
	{
		more = false;
		for (int i = 0; i < RecsysParameterCount; i++)
		{
			JsonbValue	value;

			if (without[i] || !RecsysJsonGet(&declared->root, RecsysParameters[i].name, &value))
				continue;
			for (int j = 0; j < RecsysParameterCount && !without[i]; j++)
				without[i] = without[j] &&
					RecsysParameterNeeds(&RecsysParameters[i], &value, RecsysParameters[j].name);
			more = more || without[i];
		}
	}
}

static char *
call_with_reset(const char *name, Jsonb *declared, const char *part)
{
	bool	   *without = palloc0(sizeof(bool) * RecsysParameterCount);
	StringInfoData call;
	const char *separator = "";

	for (int i = 0; i < RecsysParameterCount; i++)
		without[i] = strcmp(RecsysParameters[i].name, part) == 0;
	mark_needing(declared, without);
	initStringInfo(&call);
	appendStringInfo(&call, "SELECT recsys.alter_recommender(%s, reset => '{", quote_literal_cstr(name));
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		if (!without[i])
			continue;
		appendStringInfo(&call, "%s%s", separator, RecsysParameters[i].name);
		separator = ",";
	}
	appendStringInfoString(&call, "}')");
	return call.data;
}

static bool
is_among(const char *text, List *texts)
{
	ListCell   *cell;

	foreach(cell, texts)
		if (text != NULL && strcmp(text, lfirst(cell)) == 0)
			return true;
	return false;
}

static void
put_signal_without(JsonbParseState **state, JsonbContainer *signal, List *texts)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysSignalKeyCount; i++)
	{
		JsonbValue	value;

		if (!RecsysJsonGet(signal, RecsysSignalKeys[i], &value) ||
			(value.type == jbvString && is_among(RecsysJsonText(signal, RecsysSignalKeys[i]), texts)))
			continue;
		RecsysJsonPutKey(state, RecsysSignalKeys[i]);
		pushJsonbValue(state, WJB_VALUE, &value);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The signals that are left; NULL if none can be the first */
static Jsonb *
signals_without(Jsonb *declared, List *texts)
{
	JsonbParseState *state = NULL;
	JsonbValue	signals;
	JsonbContainer *array;
	bool		is_first = true;

	(void) RecsysJsonGet(&declared->root, "signals", &signals);
	array = RecsysJsonArray(&signals, "signals");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbContainer *signal = RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "signals");

		if (is_among(RecsysJsonText(signal, "events"), texts) ||
			is_among(RecsysJsonText(signal, "predicts"), texts))
			continue;
		if (is_first && RecsysJsonNumber(signal, "weight", 1) < 0)
			return NULL;
		is_first = false;
		put_signal_without(&state, signal, texts);
	}
	return is_first ? NULL : JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}

char *
RecsysCallWithout(const char *name, Jsonb *declared, const char *part, List *texts)
{
	Jsonb	   *signals;

	if (strcmp(part, "signals") != 0)
		return call_with_reset(name, declared, part);
	signals = signals_without(declared, texts);
	if (signals == NULL)
		return psprintf("SELECT recsys.drop_recommender(%s)", quote_literal_cstr(name));
	return psprintf("SELECT recsys.alter_recommender(%s, signals => %s)", quote_literal_cstr(name),
					quote_literal_cstr(JsonbToCString(NULL, &signals->root, VARSIZE(signals))));
}

bool
RecsysIsMissing(int code)
{
	return code == ERRCODE_UNDEFINED_COLUMN || code == ERRCODE_UNDEFINED_TABLE ||
		code == ERRCODE_UNDEFINED_FUNCTION || code == ERRCODE_UNDEFINED_OBJECT ||
		code == ERRCODE_UNDEFINED_SCHEMA || code == ERRCODE_DATATYPE_MISMATCH ||
		code == ERRCODE_AMBIGUOUS_FUNCTION || code == ERRCODE_AMBIGUOUS_COLUMN;
}

/* Are these nothing but views that were made for signals that predict? */
static bool
are_made(Jsonb *declared, List *texts)
{
	int			made = 0;
	JsonbValue	signals;
	JsonbContainer *array;

	(void) RecsysJsonGet(&declared->root, "signals", &signals);
	array = RecsysJsonArray(&signals, "signals");
	for (int i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbContainer *signal = RecsysJsonObject(getIthJsonbValueFromContainer(array, i), "signals");

		if (is_among(RecsysJsonText(signal, "events"), texts) ||
			is_among(RecsysJsonText(signal, "predicts"), texts))
			return false;
		if (!is_among(RecsysJsonText(signal, "graph"), texts))
			continue;
		if (RecsysJsonText(signal, "predicts") == NULL)
			return false;
		made++;
	}
	return made > 0;
}

static char *
hint_without(const char *name, Jsonb *declared, const char *part, List *texts)
{
	char	   *call = RecsysCallWithout(name, declared, part, texts);

	/* such a call makes them anew */
	if (strcmp(part, "signals") == 0 && are_made(declared, texts))
		return psprintf("It is made anew by: %s;", call);
	return psprintf(RECSYS_WITHOUT_HINT, call);
}

char *
RecsysHintWithout(const RecsysShop *shop, const char *part, List *texts)
{
	return hint_without(shop->definition->name, shop->declared, part, texts);
}

char *
RecsysSignalsProblem(const char *name, Jsonb *declared)
{
	RecsysDefinition *definition = RecsysDefinitionRead(name, "", declared);
	List	   *missing = NIL;

	for (int s = 0; s < definition->nsignals; s++)
	{
		char	   *names[] = {definition->signals[s].events, definition->signals[s].predicts,
		definition->signals[s].graph};

		for (int x = 0; x < lengthof(names); x++)
			if (names[x] != NULL && !RecsysRelationExists(names[x]))
				missing = lappend(missing, names[x]);
	}
	if (missing == NIL)
		return NULL;
	return psprintf("signals: relation %s does not exist. %s", (char *) linitial(missing),
					hint_without(name, declared, "signals", missing));
}

static void
add_context(void *arg)
{
	const char **named = arg;

	errcontext("\"%s\" of recommender \"%s\"", named[0], named[1]);
}

Oid
RecsysShopRelation(const RecsysShop *shop, const char *part, const char *name)
{
	const char *named[] = {part, shop->definition->name};
	ErrorContextCallback callback = {error_context_stack, add_context, named};
	Oid			relation;

	error_context_stack = &callback;
	if (!RecsysRelationExists(name))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation %s does not exist", name),
				 errhint("%s", RecsysHintWithout(shop, part, list_make1(unconstify(char *, name))))));
	relation = RecsysFindRelation(name);
	error_context_stack = callback.previous;
	return relation;
}

void
RecsysColumnIsMissing(const RecsysShop *shop, const char *part, const char *relation,
					  const char *column)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column %s of relation %s does not exist", column, relation),
			 errcontext("\"%s\" of recommender \"%s\"", part, shop->definition->name),
			 errhint("%s", RecsysHintWithout(shop, part, list_make1(unconstify(char *, column))))));
}
