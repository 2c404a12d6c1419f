/*
 * itemshandler.c
 *	  The entry point of the access method recsys_items.
 *
 * It has no scans: neither amgettuple nor amgetbitmap, and no operators, so that the planner
 * never considers such an index.  What it is there for is read by functions.
 */
#include "postgres.h"

#include "am/entry/handler.h"
#include "am/items/itemshandler.h"
#include "am/items/itemsoptions.h"
#include "commands/vacuum.h"
#include "compat.h"
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_items_handler);

Datum
recsys_items_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = makeNode(IndexAmRoutine);

	routine->amstrategies = 1;
	routine->amsupport = 1;
	routine->amoptsprocnum = 1;
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

	routine->ambuild = recsys_items_build;
	routine->ambuildempty = recsys_items_buildempty;
	routine->aminsert = recsys_items_insert;
	routine->ambulkdelete = recsys_items_bulkdelete;
	routine->amvacuumcleanup = recsys_items_vacuumcleanup;
	routine->amcanreturn = NULL;
	routine->amcostestimate = recsys_items_costestimate;
	routine->amoptions = RecsysParseItemsOptions;
	routine->amproperty = NULL;
	routine->ambuildphasename = recsys_buildphasename;
	routine->amvalidate = recsys_items_validate;
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

	PG_RETURN_POINTER(routine);
}
