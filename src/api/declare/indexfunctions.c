/*
 * indexfunctions.c
 *	  Functions in the expressions and the condition of an index.
 *
 * The server runs them with the rights of the table's owner.  Where a query has to read the same
 * rows from the table, they would run with those of who asks, who has neither written
 * them nor named them.  So they must come from somebody whose code that one runs anyway: a superuser,
 * himself, a role that he has the rights of, or the owner of the table, whose policies
 * would run as well.  For superusers there are no policies: they trust superusers only.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "api/declare/indexfunctions.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "nodes/nodes.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/syscache.h"

static bool
is_trusted(Oid owner, Relation index)
{
	if (superuser_arg(owner))
		return true;
	if (superuser())
		return false;
	return has_privs_of_role(GetUserId(), owner) ||
		RECSYS_ROLE_OWNS_RELATION(index->rd_index->indrelid, owner);
}

/* Taking on the role of the owner would be no way out: its code could leave that role again. */
static void
refuse(Relation index, const char *kind, const char *culprit, Oid owner)
{
	char	   *role = GetUserNameFromId(owner, true);

	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("index \"%s\" runs code of a role that you do not have the rights of",
					RelationGetRelationName(index)),
			 errdetail("Its rows are computed by %s of role \"%s\", which would run with your rights here.",
					   culprit, role != NULL ? role : "unknown"),
			 !superuser() ? 0 :
			 errhint("If you trust it, take it over: ALTER %s %s OWNER TO CURRENT_USER;", kind, culprit)));
}

static Oid
owner_of(int cache, Oid object, int attribute)
{
	HeapTuple	tuple = SearchSysCache1(cache, ObjectIdGetDatum(object));
	bool		isnull;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for object %u", object);
	owner = DatumGetObjectId(SysCacheGetAttr(cache, tuple, attribute, &isnull));
	ReleaseSysCache(tuple);
	return owner;
}

static bool
check_function(Oid function, void *index)
{
	Oid			owner = owner_of(PROCOID, function, Anum_pg_proc_proowner);

	if (!is_trusted(owner, index))
		refuse(index, "FUNCTION", format_procedure_qualified(function), owner);
	return false;
}

/* What a domain checks is code of its owner, too. */
static void
check_domain(Oid domain, Relation index)
{
	while (get_typtype(domain) == TYPTYPE_DOMAIN)
	{
		Oid			owner = owner_of(TYPEOID, domain, Anum_pg_type_typowner);
		HeapTuple	tuple;

		if (!is_trusted(owner, index))
			refuse(index, "DOMAIN", format_type_be_qualified(domain), owner);
		tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(domain));
		if (!HeapTupleIsValid(tuple))
			elog(ERROR, "cache lookup failed for type %u", domain);
		domain = ((Form_pg_type) GETSTRUCT(tuple))->typbasetype;
		ReleaseSysCache(tuple);
	}
}

static bool
walk(Node *node, void *index)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain))
		check_domain(((CoerceToDomain *) node)->resulttype, index);

	/* reads the text of a value, which for a domain is to check it */
	if (IsA(node, CoerceViaIO))
		check_domain(((CoerceViaIO *) node)->resulttype, index);
	(void) check_functions_in_node(node, check_function, index);
	return expression_tree_walker(node, walk, index);
}

/* As it is stored: the relation cache would compute what is constant in it, by running it. */
static void
check_tree(Relation index, AttrNumber attribute)
{
	bool		isnull;
	Datum		tree = SysCacheGetAttr(INDEXRELID, index->rd_indextuple, attribute, &isnull);

	if (!isnull)
		(void) walk(stringToNode(TextDatumGetCString(tree)), index);
}

void
RecsysCheckIndexFunctions(Relation index)
{
	check_tree(index, Anum_pg_index_indexprs);
	check_tree(index, Anum_pg_index_indpred);
}
