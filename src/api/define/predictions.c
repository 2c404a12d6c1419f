/*
 * predictions.c
 *	  The views that signals with "predicts" take their scores from.
 *
 * Such a signal, {"events": "views_recsys", "predicts": "purchases_recsys"}, is one whose graph is a
 * materialized view over cross_similarity().  Its name becomes part of the definition, so that
 * whoever serves, dumps or refreshes need not know what it is; "predicts" beside it says that recsys has
 * made it, and may drop it.
 *
 * A view is its recommender's owner's, who can read both tables: it is made, refreshed and
 * dropped with the rights of that one, whoever calls.  It is filled only when it is known that
 * nothing but functions of this extension runs in it, since in some schemas strangers may put
 * functions beside them.
 */
#include "postgres.h"

#include <math.h>

#include "api/call/commands.h"
#include "api/call/extensionschema.h"
#include "api/call/materialized.h"
#include "api/declare/definition.h"
#include "api/declare/graphcolumns.h"
#include "api/declare/jsonfields.h"
#include "api/declare/missing.h"
#include "api/declare/names.h"
#include "api/declare/parameters.h"
#include "api/define/predictions.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "commands/defrem.h"
#include "compat.h"
#include "executor/spi.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "source/input/keytext.h"
#include "source/input/runas.h"
#include "source/input/values.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* Is what they need of a view the same? */
static bool
is_same(const RecsysSignal *a, const RecsysSignal *b)
{
	return same_text(a->events, b->events) && same_text(a->predicts, b->predicts) &&
		same_text(a->similarity, b->similarity) && same_text(a->options, b->options) && a->neighbors == b->neighbors &&
		a->min_support == b->min_support && a->self_pairs == b->self_pairs &&
		(a->min_likelihood == b->min_likelihood ||
		 (isnan(a->min_likelihood) && isnan(b->min_likelihood)));
}

/* The materialized view of that name, if the owner has one; else InvalidOid. */
static Oid
find_view(const char *name, Oid owner)
{
	List	   *names = textToQualifiedNameList(cstring_to_text(name));
	Oid			relation = RangeVarGetRelid(makeRangeVarFromNameList(names), NoLock, true);

	return OidIsValid(relation) && RecsysIsViewOf(relation, owner) ? relation : InvalidOid;
}

/* What to look for among all signals that are declared */
typedef struct ViewSearch
{
	const char *recommender;	/* whose signals are passed over; NULL: nobody's */
	const char *owner;			/* whose alone count; NULL: everybody's */
	const RecsysSignal *same;	/* that need the same view, or */
	const char *graph;			/* that have that graph */
} ViewSearch;

static const RecsysSignal *
find_signal(const ViewSearch *search)
{
	ListCell   *cell;

	foreach(cell, RecsysAllDeclared())
	{
		const RecsysDeclaredRow *row = lfirst(cell);
		RecsysDefinition *definition;

		if ((search->recommender != NULL && strcmp(row->name, search->recommender) == 0) ||
			(search->owner != NULL && strcmp(row->owner, search->owner) != 0))
			continue;
		definition = RecsysDefinitionRead(row->name, row->owner, row->definition);
		for (int s = 0; s < definition->nsignals; s++)
		{
			const RecsysSignal *signal = &definition->signals[s];

			if (signal->graph != NULL &&
				(search->same == NULL || (signal->predicts != NULL && is_same(signal, search->same))) &&
				(search->graph == NULL || strcmp(signal->graph, search->graph) == 0))
				return signal;
		}
	}
	return NULL;
}

/* A view that is there already, of another signal with the same needs; NULL: there is none. */
static char *
find_made(const RecsysDefinition *definition, int place, Oid owner)
{
	const RecsysSignal *signal = &definition->signals[place];
	ViewSearch	search = {.owner = definition->owner, .same = signal};
	const RecsysSignal *found = NULL;

	for (int s = 0; s < place && found == NULL; s++)
		if (definition->signals[s].predicts != NULL && is_same(&definition->signals[s], signal))
			found = &definition->signals[s];
	if (found == NULL)
		found = find_signal(&search);
	if (found == NULL || !OidIsValid(find_view(found->graph, owner)))
		return NULL;
	return pstrdup(found->graph);
}

/* A graph beside "predicts" is one that has been printed, of this signal as it was before. */
static void
check_given(const RecsysSignal *signal)
{
	ViewSearch	search = {.graph = signal->graph};
	const RecsysSignal *found = signal->graph != NULL ? find_signal(&search) : NULL;

	if (signal->graph == NULL || (found != NULL && found->predicts != NULL))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("a signal with \"predicts\" has no \"graph\" of yours"),
			 errdetail("Its scores come from a materialized view that is made for it."),
			 errhint("Leave out one of them.")));
}

static Oid
named_index(const char *name)
{
	return RangeVarGetRelid(makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name))),
							NoLock, false);
}

/* "<events>_predicts_<target>", in the schema of the predicted index; numbered if it is taken. */
static char *
choose_name(const RecsysSignal *signal)
{
	Oid			index = named_index(signal->predicts);
	char	   *events = RecsysUnqualifiedName(signal->events);
	char	   *target = get_rel_name(index);
	int			room = NAMEDATALEN - 1 - (int) strlen("_predicts_");
	int			most = Max(room / 2, room - (int) strlen(events));

	/* of the events' name as much as there is room for is taken */
	target[pg_mbcliplen(target, strlen(target), most)] = '\0';
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(index)),
									  ChooseRelationName(events, "predicts", target,
														 get_rel_namespace(index), false));
}

static RecsysKeyKind
item_kind(const char *index)
{
	RecsysColumns columns;

	(void) RecsysFindIndex(index, &columns);
	return columns.item_kind;
}

/* A type of keys, in pg_catalog */
static const char *
type_of(RecsysKeyKind kind)
{
	return kind == RECSYS_KEY_INT ? "int8" : RecsysKeyKindTypeName(kind);
}

/* The pairs of a signal as a query */
static char *
pairs_query(const RecsysSignal *signal)
{
	RecsysKeyKind from = item_kind(signal->events);
	RecsysKeyKind to = item_kind(signal->predicts);
	StringInfoData query;

	initStringInfo(&query);
	appendStringInfo(&query, "SELECT item_id, similar_item_id, score, support, rank FROM %s.cross_similarity(",
					 quote_identifier(RecsysExtensionSchema()));
	appendStringInfo(&query, "events => %s::pg_catalog.text, predicts => %s::pg_catalog.text",
					 quote_literal_cstr(signal->events), quote_literal_cstr(signal->predicts));
	if (from != RECSYS_KEY_INT || to != RECSYS_KEY_INT)
		appendStringInfo(&query, ", item_type => NULL::pg_catalog.%s, similar_item_type => NULL::pg_catalog.%s",
						 type_of(from), type_of(to));
	if (signal->similarity != NULL)
		appendStringInfo(&query, ", similarity => %s::pg_catalog.text", quote_literal_cstr(signal->similarity));
	if (signal->neighbors > 0)
		appendStringInfo(&query, ", neighbors => %d", signal->neighbors);
	if (signal->min_support > 0)
		appendStringInfo(&query, ", min_support => %d", signal->min_support);
	if (!isnan(signal->min_likelihood))
		appendStringInfo(&query, ", min_likelihood => %s::pg_catalog.float8",
						 quote_literal_cstr(DatumGetCString(DirectFunctionCall1(float8out,
																				Float8GetDatum(signal->min_likelihood)))));
	if (signal->options != NULL)
		appendStringInfo(&query, ", options => %s::pg_catalog.text", quote_literal_cstr(signal->options));
	appendStringInfoChar(&query, ')');
	if (!signal->self_pairs && from == to)
		appendStringInfoString(&query, " WHERE item_id OPERATOR(pg_catalog.<>) similar_item_id");
	return query.data;
}

/* Errors out unless all functions that run in the view are the extension's own. */
static void
check_functions(const char *name)
{
	Oid			types[1] = {OIDOID};
	Datum		values[1] = {ObjectIdGetDatum(named_index(name))};

	if (SPI_execute_with_args("SELECT d.refobjid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_rewrite r ON d.objid OPERATOR(pg_catalog.=) r.oid"
							  " WHERE d.classid OPERATOR(pg_catalog.=) 'pg_catalog.pg_rewrite'::pg_catalog.regclass"
							  " AND d.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_proc'::pg_catalog.regclass"
							  " AND r.ev_class OPERATOR(pg_catalog.=) $1 AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e JOIN pg_catalog.pg_extension x"
							  " ON e.refobjid OPERATOR(pg_catalog.=) x.oid AND e.refclassid OPERATOR(pg_catalog.=) 'pg_catalog.pg_extension'::pg_catalog.regclass"
							  " WHERE e.objid OPERATOR(pg_catalog.=) d.refobjid AND e.classid OPERATOR(pg_catalog.=) d.refclassid"
							  " AND x.extname OPERATOR(pg_catalog.=) 'recsys')",
							  1, types, values, NULL, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute_with_args failed");
	if (SPI_processed > 0)
	{
		bool		isnull;
		Oid			other = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull));

		ereport(ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg("function %s is called as one of recsys, and is another one",
						quote_qualified_identifier(get_namespace_name(get_func_namespace(other)),
												   get_func_name(other))),
				 errhint("Drop it, or rename it.")));
	}
}

static void
connect_spi(void)
{
	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
}

static void
finish_spi(void)
{
	if (SPI_finish() != SPI_OK_FINISH)
		elog(ERROR, "SPI_finish failed");
}

/* Makes the view of a signal, with the rights of its owner; returns its name. */
static char *
make_view(const RecsysSignal *signal, Oid owner)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysRights before;
	char	   *name;

	RecsysBeginAs(owner, &before);
	connect_spi();
	name = MemoryContextStrdup(context, choose_name(signal));
	RecsysRunCommand(psprintf("CREATE MATERIALIZED VIEW %s AS %s WITH NO DATA", name, pairs_query(signal)));
	check_functions(name);
	RecsysRunCommand(psprintf("COMMENT ON MATERIALIZED VIEW %s IS %s", name,
				 quote_literal_cstr(psprintf("which items of %s those of %s speak for, made by recsys for a signal that predicts",
											 signal->predicts, signal->events))));
	RecsysRunCommand(psprintf("REFRESH MATERIALIZED VIEW %s", name));

	/* finds the pairs of an item, and lets the view be refreshed while others read it */
	RecsysRunCommand(psprintf("CREATE UNIQUE INDEX ON %s (item_id, rank)", name));
	RecsysRunCommand(psprintf("ANALYZE %s", name));
	finish_spi();
	RecsysEndAs(&before);
	return name;
}

/* A signal with another graph */
static void
put_signal(JsonbParseState **state, JsonbContainer *signal, const char *graph)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysSignalKeyCount; i++)
	{
		JsonbValue	value;

		if (strcmp(RecsysSignalKeys[i], "graph") == 0)
			RecsysJsonPutText(state, "graph", graph);
		else if (RecsysJsonGet(signal, RecsysSignalKeys[i], &value))
		{
			RecsysJsonPutKey(state, RecsysSignalKeys[i]);
			pushJsonbValue(state, WJB_VALUE, &value);
		}
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* The definition as it is kept, with the graphs of its signals */
static Jsonb *
with_graphs(Jsonb *json, const RecsysDefinition *definition)
{
	JsonbParseState *state = NULL;
	JsonbValue	value;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysParameterCount; i++)
	{
		const char *name = RecsysParameters[i].name;

		if (!RecsysJsonGet(&json->root, name, &value))
			continue;
		RecsysJsonPutKey(&state, name);
		if (strcmp(name, "signals") != 0)
		{
			pushJsonbValue(&state, WJB_VALUE, &value);
			continue;
		}
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (int s = 0; s < definition->nsignals; s++)
			put_signal(&state, RecsysJsonObject(getIthJsonbValueFromContainer(value.val.binary.data, s), "signals"),
					   definition->signals[s].graph);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT, NULL));
}

Jsonb *
RecsysMakePredictions(const RecsysDeclaredRow *row)
{
	RecsysDefinition *definition = RecsysDefinitionRead(row->name, row->owner, row->definition);
	Oid			owner = get_role_oid(row->owner, false);
	bool		any = false;

	for (int s = 0; s < definition->nsignals; s++)
	{
		RecsysSignal *signal = &definition->signals[s];
		char	   *graph;

		if (signal->predicts == NULL)
			continue;
		check_given(signal);
		graph = find_made(definition, s, owner);
		signal->graph = graph != NULL ? graph : make_view(signal, owner);
		any = true;
	}
	return any ? with_graphs(row->definition, definition) : row->definition;
}

static bool
has_graph(const RecsysDefinition *definition, const char *graph)
{
	for (int s = 0; definition != NULL && s < definition->nsignals; s++)
		if (definition->signals[s].graph != NULL && strcmp(definition->signals[s].graph, graph) == 0)
			return true;
	return false;
}

void
RecsysDropPredictions(const RecsysDeclaredRow *row, Jsonb *now)
{
	RecsysDefinition *before = RecsysDefinitionRead(row->name, row->owner, row->definition);
	RecsysDefinition *after = now != NULL ? RecsysDefinitionRead(row->name, row->owner, now) : NULL;
	Oid			owner = get_role_oid(row->owner, true);

	for (int s = 0; OidIsValid(owner) && s < before->nsignals; s++)
	{
		const char *graph = before->signals[s].graph;
		ViewSearch	search = {.recommender = row->name, .graph = graph};
		RecsysRights rights;

		/* another signal of this one has dropped it if it is not there any more */
		if (before->signals[s].predicts == NULL || graph == NULL || has_graph(after, graph) ||
			find_signal(&search) != NULL || !OidIsValid(find_view(graph, owner)))
			continue;
		RecsysBeginAs(owner, &rights);
		connect_spi();
		RecsysRunCommand(psprintf("DROP MATERIALIZED VIEW %s", graph));
		finish_spi();
		RecsysEndAs(&rights);
	}
}

/* The first of the row's graphs that is to be a view of the owner, and is none; NULL: all are. */
static const char *
find_foreign(const RecsysDefinition *definition, Oid owner)
{
	for (int s = 0; s < definition->nsignals; s++)
	{
		const RecsysSignal *signal = &definition->signals[s];

		if (signal->predicts != NULL && signal->graph != NULL && !OidIsValid(find_view(signal->graph, owner)))
			return signal->graph;
	}
	return NULL;
}

char *
RecsysPredictionsProblem(const RecsysDeclaredRow *row)
{
	const char *graph = find_foreign(RecsysDefinitionRead(row->name, row->owner, row->definition),
									 get_role_oid(row->owner, true));

	if (graph == NULL)
		return NULL;
	return psprintf("signals: %s is no materialized view of role \"%s\", who owns the recommender. Another one is made by: %s;",
					graph, row->owner,
					RecsysCallWithout(row->name, row->definition, "signals", list_make1((char *) graph)));
}

/* By the caller: within a security-restricted operation no view is refreshed concurrently. */
void
RecsysRefreshPredictions(const RecsysDefinition *definition)
{
	Oid			owner = get_role_oid(definition->owner, false);

	for (int s = 0; s < definition->nsignals; s++)
	{
		const RecsysSignal *signal = &definition->signals[s];
		bool		done = false;
		Oid			view;

		for (int x = 0; x < s && !done; x++)
			done = signal->predicts != NULL && same_text(definition->signals[x].graph, signal->graph);
		if (done || signal->predicts == NULL || signal->graph == NULL)
			continue;
		view = find_view(signal->graph, owner);
		if (!OidIsValid(view))
		{
			ereport(WARNING,
					(errmsg("\"%s\" of recommender \"%s\" is not refreshed", signal->graph, definition->name),
					 errhint("Run SELECT recsys.recommender_problem(%s).", quote_literal_cstr(definition->name))));
			continue;
		}
		RecsysRefreshMaterialized(view);
	}
}
