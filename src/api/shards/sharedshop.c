/*
 * sharedshop.c
 *	  Declared recommenders that recsys.distribute() has been to, on all nodes of Citus.
 *
 * What is declared stays a row of recsys.recommender on the coordinator, where it is changed.
 * Other nodes find it in a reference table, whose rows are written together with that one and in
 * the same transaction, so that all nodes change over at once.  The same goes for popular lists.
 */
#include "postgres.h"

#include "api/keep/keeper.h"
#include "api/shards/sharedshop.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

void
RecsysLockLists(const char *recommender)
{
	Oid			table = RecsysShopTable("popularity");
	uint32		number = DatumGetUInt32(hash_any((const unsigned char *) recommender, (int) strlen(recommender)));

	LockDatabaseObject(table, number, 0, ExclusiveLock);
}

static void
run(const char *statement, const char *recommender)
{
	Oid			types[] = {TEXTOID};
	Datum		values[] = {CStringGetTextDatum(recommender)};

	(void) RecsysKeeperQuery(statement, lengthof(types), types, values, NULL, false);
}

static void
write_lists(const char *recommender)
{
	run("DELETE FROM recsys.distributed_popularity WHERE recommender OPERATOR(pg_catalog.=) $1", recommender);
	run("INSERT INTO recsys.distributed_popularity (recommender, kind, value, items, users)"
		" SELECT recommender, kind, value, items, users FROM recsys.popularity"
		" WHERE recommender OPERATOR(pg_catalog.=) $1", recommender);
}

void
RecsysShareShop(const RecsysDeclaredRow *row)
{
	Oid			types[] = {TEXTOID, TEXTOID, JSONBOID};
	Datum		values[] = {CStringGetTextDatum(row->name), CStringGetTextDatum(row->owner),
		JsonbPGetDatum(row->definition)};
	RecsysRights before;

	RecsysBeginAsOwnerOf("distributed_shop", &before);
	run("DELETE FROM recsys.distributed_shop WHERE name OPERATOR(pg_catalog.=) $1", row->name);
	(void) RecsysKeeperQuery("INSERT INTO recsys.distributed_shop (name, owner, definition) VALUES ($1, $2, $3)",
							 lengthof(types), types, values, NULL, false);
	write_lists(row->name);
	RecsysEndAsKeeper(&before);
}

void
RecsysShareLists(const char *recommender)
{
	RecsysRights before;

	RecsysBeginAsOwnerOf("distributed_shop", &before);
	write_lists(recommender);
	RecsysEndAsKeeper(&before);
}

void
RecsysUnshareShop(const char *recommender)
{
	RecsysRights before;

	RecsysBeginAsOwnerOf("distributed_shop", &before);
	run("DELETE FROM recsys.distributed_shop WHERE name OPERATOR(pg_catalog.=) $1", recommender);
	run("DELETE FROM recsys.distributed_popularity WHERE recommender OPERATOR(pg_catalog.=) $1", recommender);
	RecsysEndAsKeeper(&before);
}
