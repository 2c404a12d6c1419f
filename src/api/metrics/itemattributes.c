/*
 * itemattributes.c
 *	  What recommenders know of their items, as a relation for the queries of a refresh.
 *
 * The catalogue are the items of the declared table that pass the filter; without one, those of the
 * index.  How many users have an item is asked of the first signal's index, popularity is a rank
 * among all of both.
 *
 * Expressions of a definition run as its owner, in a subtransaction: an error ends that.
 */
#include "postgres.h"

#include "access/relation.h"
#include "am/entry/indexes.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/customersquery.h"
#include "api/declare/declaredrows.h"
#include "api/declare/definition.h"
#include "api/declare/names.h"
#include "api/keep/namedrows.h"
#include "api/metrics/ephemeral.h"
#include "api/metrics/itemattributes.h"
#include "api/call/extensionschema.h"
#include "api/operate/queryanswer.h"
#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "source/input/runas.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

/* Where a recommender's attributes come from */
typedef struct AttributeSource
{
	const char *name;
	Snapshot	snapshot;
	RecsysDefinition *definition;	/* NULL: it is an index */
	const char *index;			/* that knows how many users have an item */
	Oid			owner;
} AttributeSource;

#define COLUMNS 9

static TupleDesc
describe(void)
{
	static const struct
	{
		const char *name;
		Oid			type;
	}			columns[COLUMNS] = {
		{"recommender", TEXTOID}, {"item_id", TEXTOID}, {"category", TEXTOID}, {"seller", TEXTOID},
		{"is_new", BOOLOID}, {"is_new_seller", BOOLOID}, {"offered", BOOLOID},
		{"user_share", FLOAT8OID}, {"popularity", FLOAT8OID}
	};
	TupleDesc	descriptor = CreateTemplateTupleDesc(COLUMNS);

	for (int i = 0; i < COLUMNS; i++)
		TupleDescInitEntry(descriptor, i + 1, columns[i].name, columns[i].type, -1, 0);
	return descriptor;
}

/* An index of that name, which has its schema in it; InvalidOid if there is none */
static Oid
find_index(const char *name)
{
	List	   *parts;
	Oid			schema;
	Oid			index;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) != 2)
		return InvalidOid;
	schema = get_namespace_oid(linitial(parts), true);
	index = OidIsValid(schema) ? get_relname_relid(lsecond(parts), schema) : InvalidOid;
	return OidIsValid(index) && RecsysKindOfIndex(index) == RECSYS_INTERACTIONS_INDEX ? index : InvalidOid;
}

/* False for a name that the log alone knows */
static bool
find_source(AttributeSource *source)
{
	const char *name = source->name;
	RecsysDeclaredRow row = {0};
	RecsysRowVersion version = {0};
	Relation	opened;
	Oid			index;

	if (RecsysFindDeclared(name, &row, &version))
	{
		source->definition = RecsysDefinitionRead(row.name, row.owner, row.definition);
		source->index = source->definition->signals[0].events;
		source->owner = get_role_oid(row.owner, false);
		return true;
	}
	index = find_index(name);
	opened = OidIsValid(index) ? try_relation_open(index, AccessShareLock) : NULL;
	if (opened == NULL)
		return false;
	source->index = name;
	source->owner = opened->rd_rel->relowner;
	relation_close(opened, AccessShareLock);
	return true;
}

/* Which sellers are new: k, is_new */
static void
append_sellers(StringInfo out, const RecsysDefinition *definition)
{
	if (definition == NULL || definition->sellers == NULL || definition->new_seller_since == NULL)
		appendStringInfoString(out, "SELECT NULL::pg_catalog.text AS k, NULL::pg_catalog.bool AS is_new WHERE false");
	else
		appendStringInfo(out, "SELECT DISTINCT ON (k) k, is_new FROM (SELECT (%s.%s)::pg_catalog.text COLLATE pg_catalog.\"C\" AS k, (%s) IS TRUE AS is_new FROM %s AS %s) AS c WHERE k IS NOT NULL",
						 definition->sellers_alias, definition->seller_key,
						 definition->new_seller_since, definition->sellers,
						 definition->sellers_alias);
}

/* users: of the index, all of them; 0: not known, as of one that is distributed */
static char *
attributes_query(const AttributeSource *source, RecsysKeyKind kind, uint64 users)
{
	static const RecsysDefinition nothing = {0};
	const RecsysDefinition *definition = source->definition != NULL ? source->definition : &nothing;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "WITH labels AS MATERIALIZED (SELECT c.*, i::pg_catalog.text COLLATE pg_catalog.\"C\" AS id FROM (");
	RecsysAppendItems(&out, definition, kind);
	appendStringInfo(&out, ") AS c), users AS MATERIALIZED (SELECT item_id, users FROM %s.popular_items(NULL::pg_catalog.int8, %s::pg_catalog.text, NULL::pg_catalog.text)), sellers AS MATERIALIZED (",
					 quote_identifier(RecsysExtensionSchema()), quote_literal_cstr(source->index));
	append_sellers(&out, definition);
	appendStringInfo(&out, ") SELECT %s::pg_catalog.text, COALESCE(l.id, u.item_id), l.category, l.seller, %s, %s, %s,"
					 " GREATEST(u.users, 1)::pg_catalog.float8 OPERATOR(pg_catalog./) NULLIF(%llu, 0),"
					 " pg_catalog.percent_rank() OVER (ORDER BY COALESCE(u.users, 0))"
					 " FROM labels AS l FULL JOIN users AS u ON u.item_id OPERATOR(pg_catalog.=) l.id"
					 " LEFT JOIN sellers AS s ON s.k OPERATOR(pg_catalog.=) l.seller",
					 quote_literal_cstr(source->name),
					 definition->new_item_since != NULL ? "l.is_new" : "NULL::pg_catalog.bool",
					 definition->new_seller_since == NULL ? "NULL::pg_catalog.bool" :
					 "CASE WHEN l.seller IS NOT NULL THEN s.is_new IS TRUE END",
					 definition->items != NULL ? "l.offered IS TRUE" : "true",
					 (unsigned long long) users);
	return out.data;
}

/* As the owner; a RecsysRowsSource */
static void
read_rows(void *arg, Tuplestorestate *rows)
{
	AttributeSource *source = arg;
	RecsysRecommender recommender;
	RecsysRights before;
	RecsysKeyKind kind;
	SPIPlanPtr	plan;
	uint64		users;
	bool		distributed;
	int			nestlevel;

	if (!find_source(source))
		return;
	RecsysBeginAs(source->owner, &before);
	nestlevel = RecsysBeginPlainNames();
	distributed = RecsysOpenForColumns(source->index, &recommender);
	kind = recommender.columns.item_kind;
	users = distributed ? 0 : Max(RecsysGetCache(recommender.index)->meta.users, 1);
	RecsysCloseRecommender(&recommender);
	plan = RecsysPrepareShopQuery(attributes_query(source, kind, users));
	RecsysAddRows(rows, plan, NULL, NULL, source->snapshot);
	SPI_freeplan(plan);
	RecsysEndPlainNames(nestlevel);
	RecsysEndAs(&before);
}

static void
warn(const char *name, const ErrorData *error)
{
	ereport(WARNING,
			(errmsg("metrics cannot read the items of recommender \"%s\"", name),
			 errdetail("%s", error->message),
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

Tuplestorestate *
RecsysRegisterAttributes(List *recommenders, Snapshot snapshot)
{
	TupleDesc	descriptor = describe();
	Tuplestorestate *rows = RecsysBeginRows();
	ListCell   *cell;

	foreach(cell, recommenders)
	{
		AttributeSource source = {.name = lfirst(cell),.snapshot = snapshot};
		ErrorData  *error = RecsysTryRows(read_rows, &source, rows, descriptor);

		if (error != NULL)
			warn(source.name, error);
	}
	RecsysNameRows("attributes", rows, descriptor, (double) tuplestore_tuple_count(rows));
	return rows;
}
