/*
 * indexmodel.c
 *	  The model that an index is trained with, and what it says of an item alone.
 *
 * For builds and for merges that train anew: what both do alike stands here once.
 */
#include "postgres.h"

#include "am/build/indexmodel.h"
#include "core/pairs/modeloptions.h"

RecsysModel *
RecsysIndexModelCreate(const RecsysMetaData *meta, const RecsysModelOptions *options, int64 latest,
					   uint32 nitems, Size memory, bool on_disk, int nworkers)
{
	bool		decays = RecsysModelDecays(options, latest);
	bool		weighted = (meta->weighted && RecsysModelHasWeights(options)) || decays;
	RecsysModel *model = RecsysModelCreate(nitems, weighted, options->max_history, memory, on_disk,
										   nworkers);

	RecsysModelSetTransform(model, options->weight_transform);
	if (decays)
		RecsysModelSetDecay(model, options->training_half_life, latest);
	if (RecsysModelUsesOrder(options))
		RecsysModelKeepOrder(model);
	RecsysModelKeepLatest(model);
	if (meta->timed)
		RecsysModelKeepRhythms(model);
	return model;
}

void
RecsysIndexModelTotals(const RecsysModel *model, bool learned, uint32 item, RecsysRowTotals *row)
{
	/* learned scores say nothing of weights, and merges keep the totals of those given */
	const RecsysItemTotals *totals = learned ? RecsysModelTotals(model) : RecsysModelScored(model);
	const RecsysRhythm *rhythms = RecsysModelRhythms(model);

	row->users = totals->users[item];
	row->norm2 = totals->norm2 != NULL ? totals->norm2[item] : totals->users[item];
	row->mass = totals->mass != NULL ? totals->mass[item] : totals->users[item];
	row->latest = totals->latest[item];
	row->recent = totals->recent != NULL ? totals->recent[item] : (RecsysRecency) {0, 0};
	row->rhythm = rhythms != NULL ? rhythms[item] : (RecsysRhythm) {0};
}
