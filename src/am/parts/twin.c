/*
 * twin.c
 *	  Parts that REINDEX CONCURRENTLY replaces.
 *
 * The server makes a copy of the index, which is no part, has it built and validated, and then the
 * two swap their places in the catalog: the copy becomes the part, and the other one is none any
 * more, takes rows still, and is dropped.  Nobody is kept from writing at that moment.  So a
 * session that is in the middle of a row may take both for parts, or neither.
 *
 * Therefore the copy of a part is a part from the beginning: it is built empty, knows its root
 * (meta.passes_to), and so does the other one.  As long as one of them is not valid both
 * pass each row on, and whichever comes second finds that it has been done (am/write/passon.c).
 *
 * That an index is such a copy is told by the statement, the name, which the server makes of the
 * other's, and the definition.  If several indexes of the table could have been copied, and one of
 * them is no part, the copy is built as any index is.  This is right, too, as it becomes empty
 * when the first row is passed on by it.
 */
#include "postgres.h"

#include "access/attmap.h"
#include "access/genam.h"
#include "access/table.h"
#include "am/parts/twin.h"
#include "am/parts/whole.h"
#include "catalog/index.h"
#include "commands/defrem.h"
#include "nodes/execnodes.h"
#include "nodes/parsenodes.h"
#include "nodes/plannodes.h"
#include "tcop/pquery.h"
#include "utils/lsyscache.h"

bool
RecsysInReindex(void)
{
	const PlannedStmt *planned;

	if (ActivePortal == NULL || list_length(ActivePortal->stmts) != 1)
		return false;
	planned = linitial_node(PlannedStmt, ActivePortal->stmts);
	return planned->commandType == CMD_UTILITY && IsA(planned->utilityStmt, ReindexStmt);
}

/* Has the server made this name of that one?  The end of it, "ccnew" and a number, is kept. */
static bool
is_name_of_copy(const char *name, const char *original)
{
	const char *label = strrchr(name, '_');

	return label != NULL && strncmp(label + 1, "ccnew", strlen("ccnew")) == 0 &&
		strspn(label + 1 + strlen("ccnew"), "0123456789") == strlen(label + 1 + strlen("ccnew")) &&
		strcmp(makeObjectName(original, NULL, label + 1), name) == 0;
}

static bool
is_defined_alike(Relation heap, Relation one, Relation other)
{
	AttrMap    *same = make_attrmap(RelationGetDescr(heap)->natts);
	bool		alike;

	for (int i = 0; i < same->maplen; i++)
		same->attnums[i] = i + 1;
	alike = CompareIndexInfo(BuildIndexInfo(one), BuildIndexInfo(other), one->rd_indcollation,
							 other->rd_indcollation, one->rd_opfamily, other->rd_opfamily, same);
	free_attrmap(same);
	return alike;
}

/* Could it be the one that the copy is of? */
static bool
may_be_copied(Relation heap, Relation copy, Oid oid)
{
	const char *name = get_rel_name(oid);
	Relation	index;
	bool		may;

	if (oid == RelationGetRelid(copy) || name == NULL ||
		!is_name_of_copy(RelationGetRelationName(copy), name))
		return false;
	index = index_open(oid, AccessShareLock);
	may = index->rd_rel->relam == copy->rd_rel->relam && is_defined_alike(heap, index, copy);
	index_close(index, AccessShareLock);
	return may;
}

Oid
RecsysTwinOf(Relation index)
{
	Relation	heap;
	List	   *indexes;
	ListCell   *cell;
	Oid			twin = InvalidOid;
	int			n = 0;

	if (index->rd_rel->relispartition || index->rd_rel->relkind != RELKIND_INDEX ||
		index->rd_index->indisvalid || !RecsysInReindex() ||
		ReindexIsProcessingIndex(RelationGetRelid(index)))
		return InvalidOid;
	heap = table_open(index->rd_index->indrelid, NoLock);
	indexes = heap->rd_rel->relispartition ? RelationGetIndexList(heap) : NIL;
	foreach(cell, indexes)
	{
		if (!may_be_copied(heap, index, lfirst_oid(cell)))
			continue;
		twin = lfirst_oid(cell);
		n++;
	}
	list_free(indexes);
	table_close(heap, NoLock);
	return n == 1 && OidIsValid(RecsysRootOf(twin)) && get_rel_relispartition(twin) ? twin : InvalidOid;
}
