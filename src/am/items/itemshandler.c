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
#include "fmgr.h"

PG_FUNCTION_INFO_V1(recsys_items_handler);

Datum
recsys_items_handler(PG_FUNCTION_ARGS)
{
	IndexAmRoutine *routine = RecsysPlainRoutine();

	routine->amsupport = 1;
	routine->amoptsprocnum = 1;

	routine->ambuild = recsys_items_build;
	routine->ambuildempty = recsys_items_buildempty;
	routine->aminsert = recsys_items_insert;
	routine->ambulkdelete = recsys_items_bulkdelete;
	routine->amvacuumcleanup = recsys_items_vacuumcleanup;
	routine->amcostestimate = recsys_items_costestimate;
	routine->amoptions = RecsysParseItemsOptions;
	routine->amvalidate = recsys_items_validate;

	PG_RETURN_POINTER(routine);
}
