/*
 * indexname.c
 *	  What an index, or another relation, is called in messages.
 *
 * The index over all partitions of a table is in a schema that nobody looks into, and has a name
 * that nobody has given it (am/parts/whole.h): who reads a message knows the partitioned index that it
 * belongs to.
 */
#include "postgres.h"

#include "am/store/indexname.h"
#include "am/store/wholename.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

Oid
RecsysCreatedIndex(Relation index)
{
	Oid			root = RecsysRootByName(RelationGetRelationName(index), RelationGetNamespace(index));

	return OidIsValid(root) ? root : RelationGetRelid(index);
}

const char *
RecsysIndexName(Relation index)
{
	Oid			created = RecsysCreatedIndex(index);
	char	   *name = created == RelationGetRelid(index) ? NULL : get_rel_name(created);

	return name != NULL ? name : RelationGetRelationName(index);
}

char *
RecsysQualifiedName(Oid relation)
{
	char	   *name = get_rel_name(relation);

	return name == NULL ? psprintf("%u", relation) :
		quote_qualified_identifier(get_namespace_name(get_rel_namespace(relation)), name);
}

char *
RecsysQualifiedIndexName(Relation index)
{
	Oid			created = RecsysCreatedIndex(index);

	return RecsysQualifiedName(get_rel_name(created) == NULL ? RelationGetRelid(index) : created);
}
