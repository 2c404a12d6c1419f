/*
 * querytraining.c
 *	  From the interactions of a query to a model that is ready to run.
 */
#include "postgres.h"

#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/train/querytraining.h"

/* similarity = auto: pairs as an index would have them; nobody is served with them here. */
static void
ask_choice(RecsysCollector *collector, const RecsysModelOptions *asked, RecsysModel *model)
{
	RecsysChoosingOptions choosing = {.asked = asked, .half_life = -1};

	choosing.span = RecsysCollectorSpan(collector);
	choosing.now = RecsysCollectorLatest(collector);
	RecsysModelChoose(model, &choosing, RecsysCollectorTimed(collector));
}

RecsysModel *
RecsysTrainCollected(RecsysCollector *collector, bool weighted, RecsysModelOptions *options, Size limit)
{
	Size		kept = RecsysCollectorMemory(collector);
	RecsysModelOptions asked = *options;
	int64		latest = RecsysCollectorLatest(collector);
	RecsysModel *model;
	bool		decays;
	RecsysKey	key;
	uint32		hash;

	RecsysModelOptionsResolve(options);
	decays = RecsysModelDecays(options, latest);
	model = RecsysModelCreate(RecsysCollectorItems(collector),
							  (weighted && RecsysModelHasWeights(options)) || decays,
							  options->max_history, limit > kept ? limit - kept : 0,
							  RecsysCollectorSpilled(collector), 0);
	RecsysModelSetTransform(model, options->weight_transform);
	if (decays)
		RecsysModelSetDecay(model, options->training_half_life, latest);
	if (RecsysModelUsesOrder(options))
		RecsysModelKeepOrder(model);
	if (asked.similarity == RECSYS_AUTO)
		ask_choice(collector, &asked, model);
	while (RecsysCollectorNextUser(collector, &key, &hash))
	{
		RecsysUserRow row;

		while (RecsysCollectorNextOfUser(collector, &row))
			RecsysModelAdd(model, &row.interaction);
		RecsysModelEndUser(model);
		RecsysModelSampleUser(model, RecsysKeyHash(RecsysCollectorUserKind(collector), &key, RECSYS_SAMPLE_SEED));
		CHECK_FOR_INTERRUPTS();
	}
	RecsysCollectorRelease(collector);
	RecsysModelFinish(model);
	if (RecsysModelGetChoice(model) != NULL)
		*options = RecsysModelGetChoice(model)->best.options;
	return model;
}
