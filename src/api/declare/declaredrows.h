/*
 * declaredrows.h
 *	  The rows of recsys.recommender.
 *
 * A database whose extension is still 0.1.0 has no such table: nothing is declared there.
 */
#ifndef RECSYS_DECLAREDROWS_H
#define RECSYS_DECLAREDROWS_H

#include "postgres.h"

#include "access/genam.h"
#include "access/htup.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

typedef struct RecsysDeclaredRow
{
	char	   *name;
	char	   *owner;			/* name of a role, which may be gone */
	Jsonb	   *definition;
} RecsysDeclaredRow;

/* Which version of which row: another has another. */
typedef struct RecsysRowVersion
{
	Oid			table;
	ItemPointerData place;
	TransactionId creator;
	CommandId	command;
} RecsysRowVersion;

extern bool RecsysSameVersion(const RecsysRowVersion *a, const RecsysRowVersion *b);

/*
 * What the active snapshot sees.  Find leaves row as it is if the version is the one that
 * *version says, and else sets both; it returns false if there is no row.
 */
extern bool RecsysFindDeclared(const char *name, RecsysDeclaredRow *row, RecsysRowVersion *version);
extern List *RecsysAllDeclared(void);

/*
 * Has recsys.distribute() been to it, so that all nodes of Citus have it?  As the active snapshot
 * sees it, or as of now: the statement may have waited for a lock since it began.
 */
extern bool RecsysIsShared(const char *name);
extern bool RecsysIsSharedNow(const char *name);

/*
 * Writing.  Rights have been checked by who calls.  Lock waits for others that change the row
 * and returns false if there is none.  Insert returns false if there is one of that name.
 */
extern bool RecsysLockDeclared(const char *name, RecsysDeclaredRow *row);
extern bool RecsysInsertDeclared(const RecsysDeclaredRow *row);
extern void RecsysUpdateDeclared(const RecsysDeclaredRow *row);
extern bool RecsysRenameDeclared(const char *name, const char *new_name);
extern void RecsysDeleteDeclared(const char *name);

/* The table of the extension of that name; an error where an older version of it has none. */
extern Oid	RecsysShopTable(const char *name);

/* The same opened in AccessShareLock; NULL where there is none. */
extern Relation RecsysOpenShopTable(const char *name);

/*
 * The row of that name, of a table whose first column and primary key is the name, as the active
 * snapshot sees it: in *tuple, NULL if there is none, and its *version, as long as the scan lasts.
 */
extern SysScanDesc RecsysScanNamed(Relation table, const char *name, HeapTuple *tuple,
								   RecsysRowVersion *version);

#endif							/* RECSYS_DECLAREDROWS_H */
