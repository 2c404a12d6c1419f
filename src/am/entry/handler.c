/*
 * handler.c
 *	  The recsys access method's entry point.
 */
#include "postgres.h"

#include "am/entry/handler.h"
#include "am/store/options.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_index_handler);

IndexAmRoutine *
RecsysPlainRoutine(void)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	routine->amstrategies = 1;
	routine->amsupport = 0;
	routine->amoptsprocnum = 0;
	routine->amcanorder = false;
	routine->amcanorderbyop = false;
	routine->amcanbackward = false;
	routine->amcanunique = false;
	routine->amcanmulticol = true;
	routine->amoptionalkey = false;
	routine->amsearcharray = false;
	routine->amsearchnulls = false;
	routine->amstorage = false;
	routine->amclusterable = false;
	routine->ampredlocks = false;
	routine->amcanparallel = false;
	routine->amcaninclude = false;
	routine->amusemaintenanceworkmem = false;
	routine->amparallelvacuumoptions = VACUUM_OPTION_PARALLEL_BULKDEL;
	routine->amkeytype = InvalidOid;
	RECSYS_SET_NEWER_PROPERTIES(routine);

	routine->amcanreturn = NULL;
	routine->amproperty = NULL;
	routine->ambuildphasename = recsys_buildphasename;
	routine->amadjustmembers = NULL;
	routine->ambeginscan = NULL;
	routine->amrescan = NULL;
	routine->amgettuple = NULL;
	routine->amgetbitmap = NULL;
	routine->amendscan = NULL;
	routine->ammarkpos = NULL;
	routine->amrestrpos = NULL;
	routine->amestimateparallelscan = NULL;
	routine->aminitparallelscan = NULL;
	routine->amparallelrescan = NULL;
	return routine;
}

Datum
recsys_index_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = RecsysPlainRoutine();

	/* either the user or the item alone is enough; cost.c rules out neither */
	routine->amoptionalkey = true;
	routine->ambuild = recsys_build;
	routine->ambuildempty = recsys_buildempty;
	routine->aminsert = recsys_insert;
	routine->ambulkdelete = recsys_bulkdelete;
	routine->amvacuumcleanup = recsys_vacuumcleanup;
	routine->amcostestimate = recsys_costestimate;
	routine->amoptions = RecsysParseOptions;
	routine->amvalidate = recsys_validate;
	routine->ambeginscan = recsys_beginscan;
	routine->amrescan = recsys_rescan;
	routine->amgettuple = recsys_gettuple;
	routine->amgetbitmap = recsys_getbitmap;
	routine->amendscan = recsys_endscan;

	PG_RETURN_POINTER(routine);
}
