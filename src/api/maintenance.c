/*
 * maintenance.c
 *	  Schema recsys: check_index() and index_info().
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xlog.h"
#include "am/check.h"
#include "am/meta.h"
#include "api/recommender.h"
#include "catalog/index.h"
#include "compat.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

PG_FUNCTION_INFO_V1(recsys_check_index);
PG_FUNCTION_INFO_V1(recsys_index_info);

/*
 * Keeps writers out while it looks, so only the index's owner may call it.  On
 * a standby, where no such lock can be had, replay goes on meanwhile.
 */
Datum
recsys_check_index(PG_FUNCTION_ARGS)
{
	Oid			relation = PG_GETARG_OID(0);
	Oid			table = IndexGetRelation(relation, true);
	RecsysRecommender recommender;
	Oid			caller;
	int			security;
	int			nestlevel;

	if (OidIsValid(table) && !RECSYS_OWNS_RELATION(relation))
		aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_INDEX, get_rel_name(relation));
	if (OidIsValid(table) && !RecoveryInProgress())
		LockRelationOid(table, ShareLock);

	RecsysOpenRecommenderIndex(relation, &recommender);

	/*
	 * The check evaluates the index's expressions and predicate, which are the
	 * table owner's code.  As in a build they run with the owner's rights: whoever
	 * calls, often a superuser, must not lend them his.
	 */
	GetUserIdAndSecContext(&caller, &security);
	SetUserIdAndSecContext(recommender.heap->rd_rel->relowner,
						   security | SECURITY_RESTRICTED_OPERATION);
	nestlevel = NewGUCNestLevel();
	RECSYS_RESTRICT_SEARCH_PATH();
	RecsysCheckIndex(recommender.heap, recommender.index);
	AtEOXact_GUC(false, nestlevel);
	SetUserIdAndSecContext(caller, security);

	RecsysCloseRecommender(&recommender);
	PG_RETURN_VOID();
}

Datum
recsys_index_info(PG_FUNCTION_ARGS)
{
	RecsysRecommender recommender;
	RecsysMetaData meta;
	TupleDesc	desc;
	Datum		values[9];
	bool		isnull[9] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	RecsysOpenRecommenderIndex(PG_GETARG_OID(0), &recommender);
	meta = RecsysRefreshCache(recommender.index)->meta;
	RecsysCloseRecommender(&recommender);

	values[0] = Int32GetDatum((int32) meta.version);
	values[1] = CStringGetTextDatum(RecsysSimilarityName(meta.similarity));
	values[2] = Int64GetDatum((int64) meta.users);
	values[3] = Int64GetDatum((int64) meta.items);
	values[4] = Int64GetDatum((int64) meta.interactions);
	values[5] = Int64GetDatum((int64) meta.pairs);
	values[6] = Int64GetDatum((int64) meta.capped_users);
	values[7] = Int64GetDatum((int64) meta.capped_interactions);
	values[8] = TimestampTzGetDatum(meta.built_at);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, isnull)));
}
