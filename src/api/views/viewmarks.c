/*
 * viewmarks.c
 *	  The comments by which views that recsys.create_views has made are known, and may be replaced.
 *
 * A comment is dumped and restored with its view, needs no table that would have to be kept in
 * step, and is gone with it.  Anybody can write one on a view of his own, so it lends no rights:
 * what has a mark is replaced, dropped and refreshed by who owns it.
 */
#include "postgres.h"

#include "api/call/rights.h"
#include "api/declare/declaredrows.h"
#include "api/declare/names.h"
#include "api/declare/servedname.h"
#include "api/views/viewmarks.h"
#include "catalog/pg_class.h"
#include "commands/comment.h"
#include "compat.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define MARK "made by recsys.create_views for "

static char *
mark_of(const char *recommender)
{
	return psprintf(MARK "%s: ", quote_literal_cstr(recommender));
}

char *
RecsysViewComment(const char *recommender, const char *text)
{
	return psprintf("%s%s", mark_of(recommender), text);
}

static char *
comment_of(Oid relation)
{
	char		kind = get_rel_relkind(relation);

	return kind == RELKIND_VIEW || kind == RELKIND_MATVIEW ? GetComment(relation, RelationRelationId, 0) : NULL;
}

static bool
begins_with(const char *comment, const char *mark)
{
	return comment != NULL && strncmp(comment, mark, strlen(mark)) == 0;
}

bool
RecsysIsMadeView(Oid relation)
{
	return begins_with(comment_of(relation), MARK);
}

bool
RecsysIsMadeViewOf(Oid relation, const char *recommender)
{
	return begins_with(comment_of(relation), mark_of(recommender));
}

/* Takes the literal apart; quotes and backslashes are doubled in it, and E is before it then. */
char *
RecsysMadeViewRecommender(Oid relation)
{
	const char *comment = comment_of(relation);
	const char *at = comment + strlen(MARK);
	bool		escaped = *at == 'E';
	char	   *name = palloc(strlen(comment) + 1);
	char	   *to = name;

	at += strcspn(at, "'");
	if (*at != '\0')
		at++;
	while (*at != '\0' && !(at[0] == '\'' && at[1] != '\''))
	{
		if (*at == '\'' || (escaped && at[0] == '\\' && at[1] == '\\'))
			at++;
		*to++ = *at++;
	}
	*to = '\0';
	return name;
}

/* Replacing a view leaves it to its owner, who could change what others read in it. */
static void
check_relation_owner(Oid relation)
{
	Oid			owner = RecsysRelationOwner(relation);

	if (RecsysTrustsOwner(owner))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("%s belongs to role \"%s\"", RecsysKeptName(relation), GetUserNameFromId(owner, false)),
			 errdetail("That role could change it after it has been replaced."),
			 errhint("Choose another schema, or drop it: DROP %s %s;",
					 get_rel_relkind(relation) == RELKIND_VIEW ? "VIEW" : "MATERIALIZED VIEW",
					 RecsysKeptName(relation))));
}

bool
RecsysRecommenderExists(const char *name)
{
	RecsysDeclaredRow row;
	RecsysRowVersion version = {0};

	return RecsysFindDeclared(name, &row, &version) || OidIsValid(RecsysIndexNamed(name));
}

void
RecsysCheckMadeView(Oid relation, const char *recommender)
{
	char	   *other = RecsysMadeViewRecommender(relation);
	const char *schema = get_namespace_name(get_rel_namespace(relation));

	check_relation_owner(relation);
	if (RecsysIsMadeViewOf(relation, recommender) || !RecsysRecommenderExists(other))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_DUPLICATE_TABLE),
			 errmsg("%s is a view of recommender \"%s\"", RecsysKeptName(relation), other),
			 errdetail("A schema has the views of one recommender."),
			 errhint("Choose another schema, or drop them: SELECT * FROM recsys.drop_views(%s, %s);",
					 quote_literal_cstr(other), quote_literal_cstr(schema))));
}
