/*
 * noticed.c
 *	  Partitions that this session attaches with the index that they have already.
 *
 * ATTACH PARTITION takes an index that matches as it is, and calls no access method.  But the session
 * opens the index for that, so this library is there, and the cache of relations is told what
 * changes.  That is noted, and looked at when the command is over, and again before the transaction
 * commits: the command that has loaded the library does not end in our hook.  What has become a
 * part below a whole is entered, in the transaction that attaches it, which has locked the table.
 * Most of what is noted is something else, and a look into the catalog tells.
 *
 * Where the table is locked by less (ALTER INDEX … ATTACH PARTITION locks only the index), or what
 * the whole lacks is more than a partition, the merge worker is told when the transaction has
 * been committed; likewise of partitions that have gone.
 *
 * A table that one transaction attaches, detaches, writes to and attaches again is found here, too.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/xact.h"
#include "am/entry/indexes.h"
#include "am/merge/partsdoubt.h"
#include "am/parts/leaves.h"
#include "am/parts/whole.h"
#include "am/store/relchanges.h"
#include "am/whole/adopt.h"
#include "am/whole/noticed.h"
#include "am/write/wake.h"
#include "catalog/index.h"
#include "catalog/pg_class.h"
#include "storage/lmgr.h"
#include "tcop/utility.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

/* More relations than these are not changed by one command, as a rule. */
#define MOST_NOTED 256

static ProcessUtility_hook_type previous_utility = NULL;

static Oid	noted[MOST_NOTED];
static int	nnoted = 0;
static bool looking = false;
static bool tell_worker = false;

/* A callback allocates no memory, and looks at no catalog. */
static void
note_changed(Datum arg, Oid relation)
{
	if (!OidIsValid(relation) || looking || !IsTransactionState() ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	for (int i = 0; i < nnoted; i++)
		if (noted[i] == relation)
			return;
	if (nnoted < MOST_NOTED)
		noted[nnoted++] = relation;
	else
		tell_worker = true;
}

/* The leaves among the tables of an index that nobody else can have locked */
static List *
own_leaves(Oid index)
{
	Oid			table = IndexGetRelation(index, true);
	List	   *leaves = NIL;
	const RecsysLeaves *below;

	if (!OidIsValid(table))
		return NIL;
	if (get_rel_relkind(index) == RELKIND_INDEX)
		return RecsysIsLockedByUs(table) ? list_make1_oid(table) : NIL;
	below = RecsysGetLeaves(table);
	for (int i = 0; i < below->n; i++)
		if (RecsysIsLockedByUs(below->leaves[i].table))
			leaves = lappend_oid(leaves, below->leaves[i].table);
	return leaves;
}

/* What is not as it should be is left to a merge, which says so. */
static void
adopt_leaf(Relation whole, Oid oid)
{
	Relation	leaf = table_open(oid, NoLock);

	if (leaf->rd_rel->relpersistence == whole->rd_rel->relpersistence)
		RecsysAdoptLeaf(whole, leaf);
	table_close(leaf, NoLock);
}

/* A recsys index that has changed: is it a part, or partitioned, below a whole? */
static void
look_at_index(Oid index)
{
	Oid			root = RecsysRootOf(index);
	Oid			oid = OidIsValid(root) ? RecsysWholeOf(root) : InvalidOid;
	List	   *leaves = own_leaves(index);
	ListCell   *cell;
	Relation	whole;

	tell_worker |= leaves != NIL || RecsysIsLockedByUs(index);
	if (leaves == NIL || root == index || !OidIsValid(oid))
		return;
	LockRelationOid(IndexGetRelation(oid, false), RowExclusiveLock);
	whole = index_open(oid, RowExclusiveLock);
	foreach(cell, leaves)
		adopt_leaf(whole, lfirst_oid(cell));
	list_free(leaves);
	index_close(whole, NoLock);
}

/* A partitioned table may have lost a partition. */
static void
look_at_table(Oid oid)
{
	Relation	table;
	List	   *indexes;
	ListCell   *cell;

	if (!RecsysIsLockedByUs(oid))
		return;
	table = table_open(oid, NoLock);
	indexes = RelationGetIndexList(table);
	foreach(cell, indexes)
		tell_worker |= RecsysKindOfIndex(lfirst_oid(cell)) == RECSYS_INTERACTIONS_INDEX;
	list_free(indexes);
	table_close(table, NoLock);
}

static void
look_at_noted(void)
{
	Oid			relations[MOST_NOTED];
	int			n = nnoted;

	nnoted = 0;
	if (n == 0 || looking || !IsTransactionState() || IsInParallelMode() ||
		!TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	memcpy(relations, noted, sizeof(Oid) * n);

	/* what is entered here changes no relation that is to be looked at */
	looking = true;
	PG_TRY();
	{
		CommandCounterIncrement();
		for (int i = 0; i < n; i++)
		{
			char		kind = get_rel_relkind(relations[i]);

			if ((kind == RELKIND_INDEX || kind == RELKIND_PARTITIONED_INDEX) &&
				RecsysKindOfIndex(relations[i]) == RECSYS_INTERACTIONS_INDEX)
				look_at_index(relations[i]);
			else if (kind == RELKIND_PARTITIONED_TABLE)
				look_at_table(relations[i]);
		}
	}
	PG_FINALLY();
	{
		looking = false;
	}
	PG_END_TRY();
}

static void
run_utility(PlannedStmt *statement, const char *text, bool read_only, ProcessUtilityContext context,
			ParamListInfo params, QueryEnvironment *environment, DestReceiver *receiver,
			QueryCompletion *completion)
{
	const TransactionStmt *transaction = (const TransactionStmt *) statement->utilityStmt;
	bool		prepared = IsA(transaction, TransactionStmt) &&
		transaction->kind == TRANS_STMT_COMMIT_PREPARED;

	if (previous_utility)
		previous_utility(statement, text, read_only, context, params, environment, receiver, completion);
	else
		standard_ProcessUtility(statement, text, read_only, context, params, environment, receiver, completion);
	look_at_noted();

	/* what it has attached or detached is known to the session that prepared it, if to any */
	if (prepared)
		RecsysNotePending();
}

static void
end_transaction(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			look_at_noted();
			break;
		case XACT_EVENT_COMMIT:
			if (tell_worker)
				RecsysNotePending();
			/* FALLTHROUGH */
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			nnoted = 0;
			looking = false;
			tell_worker = false;
			break;
		default:
			break;
	}
}

void
RecsysInitNoticed(void)
{
	RecsysOnRelationChange(note_changed);
	previous_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
	RegisterXactCallback(end_transaction, NULL);
}
