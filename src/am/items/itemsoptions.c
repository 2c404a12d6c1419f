/*
 * itemsoptions.c
 *	  Storage parameters of an items index: neighbors, fillfactor and pending_limit.
 *
 * The rest of what an index of interactions can be told is about users, so an items index
 * refuses it.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "am/items/itemsoptions.h"
#include "am/store/options.h"
#include "core/pairs/modeloptions.h"
#include "utils/guc.h"

static relopt_kind items_relopt_kind;

int			RecsysExactItems = 200000;

void
RecsysInitItemsOptions(void)
{
	LOCKMODE	lock = ShareUpdateExclusiveLock;
	const RecsysModelOption *neighbors = RecsysModelOptionFind("neighbors");

	items_relopt_kind = add_reloption_kind();
	add_int_reloption(items_relopt_kind, neighbors->name, neighbors->description,
					  (int) neighbors->initial, (int) neighbors->least, (int) neighbors->most, lock);
	add_int_reloption(items_relopt_kind, "fillfactor",
					  "Packs bucket pages only to this percentage",
					  RECSYS_DEFAULT_FILLFACTOR, 50, 100, lock);
	add_int_reloption(items_relopt_kind, "pending_limit",
					  "Size of the pending lists, in kB, beyond which inserts merge some of it",
					  RECSYS_DEFAULT_PENDING_LIMIT, 64, MAX_KILOBYTES, lock);

	DefineCustomIntVariable("recsys.exact_items",
							"Items up to which a build of a recsys_items index compares all with all.",
							"Of more, each is compared with those that are likely to be like it.",
							&RecsysExactItems, 200000, 100, INT_MAX, PGC_USERSET, 0, NULL, NULL, NULL);
}

bytea *
RecsysParseItemsOptions(Datum reloptions, bool validate)
{
	static const relopt_parse_elt table[] = {
		{.optname = "neighbors", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, model) + offsetof(RecsysModelOptions, neighbors)},
		{.optname = "fillfactor", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, fillfactor)},
		{.optname = "pending_limit", .opttype = RELOPT_TYPE_INT, .offset = offsetof(RecsysOptions, pending_limit)},
	};
	RecsysOptions *options = build_reloptions(reloptions, validate, items_relopt_kind,
											  sizeof(RecsysOptions), table, lengthof(table));

	/* of the rest what an index has that has been told nothing */
	if (options != NULL)
	{
		int			neighbors = options->model.neighbors;

		RecsysModelOptionsInit(&options->model);
		options->model.neighbors = neighbors;
	}
	return (bytea *) options;
}
