/*
 * names.c
 *	  Names in a definition: as they are declared, and as they are kept.
 */
#include "postgres.h"

#include "access/attnum.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/call/recommender.h"
#include "api/declare/graphcolumns.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "catalog/index.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "nodes/makefuncs.h"
#include "parser/parse_oper.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/varlena.h"

bool
RecsysIsPlainName(const char *name)
{
	Size		length = strlen(name);

	if (length == 0 || length >= NAMEDATALEN || (name[0] >= '0' && name[0] <= '9') || name[0] == '$')
		return false;
	for (const unsigned char *c = (const unsigned char *) name; *c != '\0'; c++)
		if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || *c == '$' ||
			  *c >= 128))
			return false;
	return true;
}

char *
RecsysUnqualifiedName(const char *name)
{
	return strVal(llast(textToQualifiedNameList(cstring_to_text(name))));
}

static Oid
find(const char *name)
{
	RangeVar   *range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));

	return RangeVarGetRelid(range, AccessShareLock, false);
}

static void
refuse_temporary(Oid relation)
{
	if (get_rel_persistence(relation) == RELPERSISTENCE_TEMP)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("a recommender cannot be declared over temporary relations"),
				 errdetail("\"%s\" is one, and the definition outlives it.",
						   get_rel_name(relation))));
}

Oid
RecsysFindRelation(const char *name)
{
	Oid			relation = find(name);
	char		kind = get_rel_relkind(relation);

	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_VIEW &&
		kind != RELKIND_MATVIEW && kind != RELKIND_FOREIGN_TABLE)
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table or view", get_rel_name(relation))));
	refuse_temporary(relation);
	return relation;
}

Oid
RecsysKeptRelation(const char *name)
{
	RangeVar   *range;
	Oid			schema;

	if (name == NULL)
		return InvalidOid;
	range = makeRangeVarFromNameList(textToQualifiedNameList(cstring_to_text(name)));
	if (range->schemaname == NULL)
		return RelnameGetRelid(range->relname);
	schema = get_namespace_oid(range->schemaname, true);
	return OidIsValid(schema) ? get_relname_relid(range->relname, schema) : InvalidOid;
}

bool
RecsysRelationExists(const char *name)
{
	return OidIsValid(RecsysKeptRelation(name));
}

static Oid
find_index(const char *name, RecsysTakes takes, RecsysColumns *columns)
{
	Oid			index = RecsysNamedRecommender(name);
	RecsysRecommender recommender;

	/* what is distributed can be declared, and is served once recsys.distribute() has been there */
	if (RecsysIsShell(IndexGetRelation(index, true)))
		RecsysOpenShell(index, takes, &recommender);
	else
		RecsysOpenIndexOf(index, takes, &recommender);
	*columns = recommender.columns;
	RecsysCloseRecommender(&recommender);
	refuse_temporary(index);
	return index;
}

Oid
RecsysFindIndex(const char *name, RecsysColumns *columns)
{
	return find_index(name, RECSYS_TAKES_INTERACTIONS, columns);
}

Oid
RecsysFindItemsIndex(const char *name, RecsysColumns *columns)
{
	return find_index(name, RECSYS_TAKES_ITEMS, columns);
}

void
RecsysCheckItemKind(Oid index, RecsysKeyKind kind, RecsysKeyKind wanted)
{
	if (kind != wanted)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("\"%s\" has %s item keys, but the first signal has %s ones",
						get_rel_name(index), RecsysKeyKindName(kind), RecsysKeyKindName(wanted))));
}

Oid
RecsysFindGraph(const char *name, RecsysKeyKind item_kind, RecsysKeyKind similar_kind)
{
	Oid			graph = find(name);
	AttrNumber	numbers[RECSYS_GRAPH_COLUMNS];
	RecsysColumns columns;

	if (get_rel_relkind(graph) == RELKIND_INDEX || get_rel_relkind(graph) == RELKIND_PARTITIONED_INDEX)
	{
		graph = RecsysFindIndex(name, &columns);
		RecsysCheckItemKind(graph, columns.item_kind, similar_kind);
		if (item_kind != similar_kind)
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("\"%s\" has %s item keys, but the events have %s ones", get_rel_name(graph),
							RecsysKeyKindName(columns.item_kind), RecsysKeyKindName(item_kind)),
					 errdetail("An index's graph is among items of one kind.")));
		return graph;
	}
	graph = RecsysFindRelation(name);
	RecsysFindGraphColumns(graph, item_kind, similar_kind, numbers);
	return graph;
}

static bool
is_unique_on(Oid index, AttrNumber column)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	Form_pg_index form;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	form = (Form_pg_index) GETSTRUCT(tuple);
	result = form->indisunique && form->indisvalid && form->indnkeyatts == 1 &&
		form->indkey.values[0] == column &&
		heap_attisnull(tuple, Anum_pg_index_indpred, NULL);
	ReleaseSysCache(tuple);
	return result;
}

bool
RecsysIndexHasKey(Oid index, Oid table, const char *column)
{
	HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(index));
	List	   *parts;
	bool		result;

	if (!HeapTupleIsValid(tuple))
		return false;
	(void) SplitIdentifierString(pstrdup(column), '.', &parts);
	result = ((Form_pg_index) GETSTRUCT(tuple))->indkey.values[0] ==
		get_attnum(table, linitial(parts));
	ReleaseSysCache(tuple);
	return result;
}

void
RecsysCheckUnique(Oid relation, const char *column)
{
	char		kind = get_rel_relkind(relation);
	Oid			type;
	char	   *kept = RecsysFindColumn(relation, column, &type);
	AttrNumber	number;
	List	   *parts;
	Relation	open;
	ListCell   *cell;

	if (kind == RELKIND_VIEW || kind == RELKIND_FOREIGN_TABLE)
		return;
	(void) SplitIdentifierString(pstrdup(kept), '.', &parts);
	number = get_attnum(relation, linitial(parts));
	open = relation_open(relation, AccessShareLock);
	foreach(cell, RelationGetIndexList(open))
		if (is_unique_on(lfirst_oid(cell), number))
			break;
	relation_close(open, NoLock);
	if (cell == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
				 errmsg("column %s of \"%s\" has no unique index", kept, get_rel_name(relation)),
				 errdetail("An item that is there twice would be shown twice, and each is looked up by its key."),
				 errhint("CREATE UNIQUE INDEX ON %s (%s);", RecsysKeptName(relation), kept)));
}

bool
RecsysTypesCompare(Oid left, Oid right)
{
	int			nestlevel = RecsysBeginPlainNames();
	Operator	equals = oper(NULL, list_make1(makeString("=")), left, right, true, -1);

	RecsysEndPlainNames(nestlevel);
	if (equals == NULL)
		return false;
	ReleaseSysCache(equals);
	return true;
}

char *
RecsysKeptName(Oid relation)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)),
									  get_rel_name(relation));
}

static void
column_not_found(Oid relation, const char *column)
{
	Relation	open = relation_open(relation, AccessShareLock);
	TupleDesc	descriptor = RelationGetDescr(open);
	const char **names = palloc(sizeof(char *) * Max(descriptor->natts, 1));
	const char *nearest;
	int			n = 0;

	for (int i = 0; i < descriptor->natts; i++)
		if (!TupleDescAttr(descriptor, i)->attisdropped)
			names[n++] = NameStr(TupleDescAttr(descriptor, i)->attname);
	nearest = RecsysNearestWord(column, names, n);
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" of relation \"%s\" does not exist", column,
					RelationGetRelationName(open)),
			 nearest == NULL ? 0 : errhint("Perhaps you meant \"%s\".", nearest)));
}

char *
RecsysFindColumn(Oid relation, const char *name, Oid *type)
{
	List	   *parts;
	AttrNumber	number;
	char	   *column;

	if (!SplitIdentifierString(pstrdup(name), '.', &parts) || list_length(parts) != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_NAME),
				 errmsg("\"%s\" is not the name of a column", name)));
	column = linitial(parts);
	number = get_attnum(relation, column);
	if (number <= 0)
		column_not_found(relation, column);
	*type = get_atttype(relation, number);
	return pstrdup(quote_identifier(column));
}

static void
set(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/* As pg_dump does for what it writes */
int
RecsysBeginPlainNames(void)
{
	int			nestlevel = NewGUCNestLevel();

	/* temporary tables come first unless they are said to come last */
	set("search_path", "pg_catalog, pg_temp");
	set("datestyle", "ISO");
	set("intervalstyle", "postgres");
	return nestlevel;
}

void
RecsysEndPlainNames(int nestlevel)
{
	AtEOXact_GUC(true, nestlevel);
}
