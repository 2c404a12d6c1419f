/*
 * localnames.c
 *	  Queries of a definition over tables of Citus, on the node that has their rows.
 *
 * A definition names tables as everybody does: of a reference table that is the shell, which Citus
 * leads to the copy of the node at hand when it plans a query.  A list is made inside of a function
 * that Citus has taken to the node of its user, and in there it plans none but those by the user:
 * others are an error.  Nor does it plan any inside of a part of a query that it has taken to
 * another node.  So the shells' names are replaced before the server sees the query: by the copy of
 * a reference table, and, where a row is looked up by the user, by the shard that has it.  The
 * rights are the same, as Citus grants on all of them what is granted on one, and so are the plans
 * of one server: nothing of Citus is in the way.
 *
 * Texts that are kept have names with schemas, so what has none is no table of the shop's.  The
 * parser says where a name begins, and the scanner where it ends, whatever is quoted or commented.
 */
#include "postgres.h"

#include <ctype.h>

#include "am/entry/shards.h"
#include "am/entry/shells.h"
#include "api/call/distributed.h"
#include "api/here/localnames.h"
#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "parser/scanner.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static char *
kept_name(Oid table)
{
	return quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
}

/* Where a token of the text starts, and what the scanner calls it: its character if it is one */
typedef struct Token
{
	int			place;
	int			code;
} Token;

/* The text as the server's scanner takes it apart; the last token is its end. */
typedef struct Tokens
{
	const char *text;
	Token	   *tokens;
	int			count;
} Tokens;

static void
scan_text(const char *text, Tokens *tokens)
{
	core_yy_extra_type extra;
	core_YYSTYPE value;
	int			place;
	core_yyscan_t scanner = scanner_init(text, &extra, &ScanKeywords, ScanKeywordTokens);
	int			room = 64;
	int			code;

	tokens->text = text;
	tokens->tokens = palloc(sizeof(Token) * room);
	tokens->count = 0;
	do
	{
		code = core_yylex(&value, &place, scanner);
		if (tokens->count == room)
			tokens->tokens = repalloc(tokens->tokens, sizeof(Token) * (room *= 2));
		tokens->tokens[tokens->count++] = (Token) {place, code};
	} while (code != 0);
	scanner_finish(scanner);
}

/* Does a token begin so? */
static bool
begins(const Tokens *tokens, int token, const char *beginning)
{
	return token >= 0 && token < tokens->count &&
		pg_strncasecmp(tokens->text + tokens->tokens[token].place, beginning, strlen(beginning)) == 0;
}

static bool
goes_on(char character)
{
	return isalnum((unsigned char) character) || character == '_' || character == '$' ||
		IS_HIGHBIT_SET(character);
}

/* Is it that keyword?  A name that is written so is quoted. */
static bool
is_word(const Tokens *tokens, int token, const char *word)
{
	return begins(tokens, token, word) &&
		!goes_on(tokens->text[tokens->tokens[token].place + strlen(word)]);
}

static bool
is_character(const Tokens *tokens, int token, char character)
{
	return token >= 0 && token < tokens->count && tokens->tokens[token].code == character;
}

/* Behind an identifier, which may have UESCAPE and a string behind it */
static int
skip_identifier(const Tokens *tokens, int token)
{
	bool		escaped = begins(tokens, token, "U&\"");

	token++;
	return escaped && is_word(tokens, token, "UESCAPE") ? token + 2 : token;
}

/* Behind "schema.table" */
static int
skip_name(const Tokens *tokens, int token)
{
	token = skip_identifier(tokens, token);
	while (is_character(tokens, token, '.'))
		token = skip_identifier(tokens, token + 1);
	return token;
}

static int
token_at(const Tokens *tokens, int place)
{
	int			low = 0;
	int			high = tokens->count - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (tokens->tokens[middle].place < place)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
search_ranges(Node *node, void *arg)
{
	List	  **found = arg;

	if (node == NULL)
		return false;
	if (IsA(node, RangeVar) && ((RangeVar *) node)->schemaname != NULL)
		*found = lappend(*found, node);
	return raw_expression_tree_walker(node, search_ranges, arg);
}

/* The RangeVars of a text that have schemas */
static List *
find_ranges(const char *query)
{
	List	   *found = NIL;
	ListCell   *cell;

	foreach(cell, raw_parser(query, RAW_PARSE_DEFAULT))
		(void) search_ranges(lfirst_node(RawStmt, cell)->stmt, &found);
	return found;
}

static Oid
relation_of(const RangeVar *range)
{
	Oid			schema = get_namespace_oid(range->schemaname, true);

	return OidIsValid(schema) ? get_relname_relid(range->relname, schema) : InvalidOid;
}

List *
RecsysRelationsIn(const char *query)
{
	List	   *relations = NIL;
	ListCell   *cell;

	foreach(cell, find_ranges(query))
	{
		Oid			relation = relation_of(lfirst(cell));

		if (OidIsValid(relation))
			relations = list_append_unique_oid(relations, relation);
	}
	return relations;
}

/*
 * Of a table without another name, in the places that the grammar has: FROM t, FROM t *, FROM
 * ONLY t, FROM ONLY (t), and TABLE t, where nothing calls it by a name.  The name of its rows
 * goes behind all of it; what is between the two is left out.
 */
static void
find_place_of_alias(const Tokens *tokens, int before, int behind, bool inherits, RecsysShellName *name)
{
	name->bracket = !inherits && is_character(tokens, before, '(');
	if (name->bracket)
	{
		before--;
		behind++;
	}
	if (!inherits && is_word(tokens, before, "ONLY"))
		before--;
	name->named = name->named || is_word(tokens, before, "TABLE");
	name->length = tokens->tokens[behind].place - name->place;
}

static RecsysShellName *
make_name(const Tokens *tokens, const RangeVar *range, Oid shell)
{
	RecsysShellName *name = palloc0(sizeof(RecsysShellName));
	int			token = token_at(tokens, range->location);
	int			behind = skip_name(tokens, token);

	if (is_character(tokens, behind, '*'))
		behind++;
	name->place = range->location;
	name->shell = shell;
	name->divided = RecsysShellMethod(shell) != 'n';
	name->named = range->alias != NULL;
	find_place_of_alias(tokens, token - 1, behind, range->inh, name);
	return name;
}

static int
compare_places(const ListCell *a, const ListCell *b)
{
	int			left = ((RecsysShellName *) lfirst(a))->place;
	int			right = ((RecsysShellName *) lfirst(b))->place;

	return (left > right) - (left < right);
}

List *
RecsysFindShellNames(const char *query)
{
	List	   *found = NIL;
	Tokens		tokens = {0};
	ListCell   *cell;

	if (!RecsysCitusIsThere())
		return NIL;
	foreach(cell, find_ranges(query))
	{
		RangeVar   *range = lfirst_node(RangeVar, cell);
		Oid			relation = relation_of(range);

		if (range->location < 0 || !OidIsValid(relation) || !RecsysIsShell(relation))
			continue;
		if (tokens.text == NULL)
			scan_text(query, &tokens);
		found = lappend(found, make_name(&tokens, range, relation));
	}
	list_sort(found, compare_places);
	return found;
}

/* The shard of a value, if it is here.  A key that the column cannot have is nobody's. */
static Oid
shard_of(Oid shell, Oid type, Datum value)
{
	int64		shard = RecsysShardOfValue(shell, type, get_typcollation(type), value);
	Oid			table = shard != 0 && RecsysShardIsHere(shard) ? RecsysShardRelation(shell, shard) : InvalidOid;

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the user's rows of table %s are on another node than those of the signals",
						kept_name(shell)),
				 errhint("Distribute it alike, as in SELECT alter_distributed_table(%s, colocate_with => …).",
						 quote_literal_cstr(kept_name(shell)))));
	return table;
}

static Oid
copy_of(Oid shell)
{
	Oid			table = RecsysLocalCopy(shell);

	if (!OidIsValid(table))
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("this node has no copy of table %s", kept_name(shell)),
				 errhint("If it is a reference table, on the coordinator: SELECT replicate_reference_tables(); or, if it is the coordinator that has none, SELECT citus_set_coordinator_host('…').")));
	return table;
}

Oid
RecsysTableOfRows(Oid table)
{
	Oid			copy = InvalidOid;

	if (RecsysCitusIsThere() && RecsysIsShell(table) && RecsysShellMethod(table) == 'n')
		copy = RecsysLocalCopy(table);
	return OidIsValid(copy) ? copy : table;
}

List *
RecsysLocalTables(List *names, Oid type, const Datum *value)
{
	List	   *tables = NIL;
	ListCell   *cell;

	foreach(cell, names)
	{
		RecsysShellName *name = lfirst(cell);
		Oid			table = InvalidOid;

		if (!name->divided)
			table = copy_of(name->shell);
		else if (value != NULL)
			table = shard_of(name->shell, type, *value);
		tables = lappend_oid(tables, table);
	}
	return tables;
}

char *
RecsysWithLocalTables(const char *query, List *names, List *tables)
{
	StringInfoData text;
	int			done = 0;
	ListCell   *name_cell;
	ListCell   *table_cell;

	initStringInfo(&text);
	forboth(name_cell, names, table_cell, tables)
	{
		RecsysShellName *name = lfirst(name_cell);
		Oid			table = lfirst_oid(table_cell);

		if (!OidIsValid(table))
			continue;
		appendBinaryStringInfo(&text, query + done, name->place - done);
		appendStringInfo(&text, "%s%s ", kept_name(table), name->bracket ? ")" : "");
		if (!name->named)
			appendStringInfo(&text, "AS %s ", quote_identifier(get_rel_name(name->shell)));
		done = name->place + name->length;
	}
	appendStringInfoString(&text, query + done);
	return text.data;
}
