/*
 * split_train.c
 *	  A model trained on the training part of a split, made ready to be measured.
 *
 * The model's item graph goes to arrays that core/measure/evaluation.c works on, row after
 * row as it is reported; so do the graphs of indexes, which the collector here takes
 * as well.  The users' histories are what counts of their training rows, the way
 * serving has it.
 */
#include "postgres.h"

#include "core/base/random.h"
#include "core/choice/timespan.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "source/input/clock.h"
#include "source/input/splitbasket.h"
#include "source/train/historystore.h"
#include "source/train/optiontext.h"
#include "source/train/split_train.h"
#include "source/train/trainprior.h"
#include "utils/memutils.h"

#define FIRST_NEIGHBORS 16384

/* What a model gets to be trained in, when the rest has left less. */
#define MIN_MODEL_MEMORY ((Size) 4 * 1024 * 1024)

void
RecsysGraphCollectorInit(RecsysGraphCollector *collector, RecsysEvaluation *evaluation,
						 Size memory_limit)
{
	Size		nitems = evaluation->nitems;

	collector->evaluation = evaluation;
	collector->context = CurrentMemoryContext;
	collector->size = FIRST_NEIGHBORS;
	collector->memory_limit = memory_limit;
	collector->largest = 0;
	evaluation->graph.offsets = recsys_alloc_huge_zero(sizeof(uint64) * (nitems + 1));
	evaluation->graph.items = palloc(sizeof(uint32) * FIRST_NEIGHBORS);
	evaluation->scores = palloc(sizeof(float) * FIRST_NEIGHBORS);
}

/* Makes room for the neighbors of an item and tells where they go. */
static uint64
graph_room(RecsysGraphCollector *collector, uint32 item, int count)
{
	RecsysEvaluation *evaluation = collector->evaluation;
	uint64		first = evaluation->graph.offsets[item];

	if (first + count > collector->size)
	{
		MemoryContext old = MemoryContextSwitchTo(collector->context);

		collector->size = Max(first + count, collector->size + collector->size / 2);
		RecsysCheckEvaluationMemory((sizeof(uint32) + sizeof(float)) * collector->size,
									collector->memory_limit);
		evaluation->graph.items = repalloc_huge(evaluation->graph.items,
												sizeof(uint32) * collector->size);
		evaluation->scores = repalloc_huge(evaluation->scores, sizeof(float) * collector->size);
		MemoryContextSwitchTo(old);
	}
	evaluation->graph.offsets[item + 1] = first + count;
	return first;
}

void
RecsysGraphCollectorAdd(RecsysGraphCollector *collector, uint32 item,
						const uint32 *items, const float *scores, int count)
{
	uint64		first = graph_room(collector, item, count);

	memcpy(collector->evaluation->graph.items + first, items, sizeof(uint32) * count);
	memcpy(collector->evaluation->scores + first, scores, sizeof(float) * count);
	for (int x = 0; x < count; x++)
		collector->largest = Max(collector->largest, scores[x]);
}

static void
collect_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	RecsysGraphCollector *collector = arg;
	uint64		first = graph_room(collector, item, count);

	CHECK_FOR_INTERRUPTS();
	for (int x = 0; x < count; x++)
	{
		collector->evaluation->graph.items[first + x] = neighbors[x].item;
		collector->evaluation->scores[first + x] = neighbors[x].score;
		collector->largest = Max(collector->largest, neighbors[x].score);
	}
}

void
RecsysGraphCollectorFinish(RecsysGraphCollector *collector)
{
	collector->evaluation->score_scale = Max(collector->largest, 1.0f);
}

static int64
now_of(const RecsysSplit *split)
{
	return RecsysNow(split->timed ? split->time_type : InvalidOid);
}

/* What decay in training is counted from, as in a build. */
static int64
latest_of(const RecsysSplit *split)
{
	int64		latest = RECSYS_NO_TIME;

	if (split->times == NULL)
		return latest;
	for (uint64 x = 0; x < split->offsets[split->nrows]; x++)
		latest = Max(latest, split->times[x]);
	return Min(latest, now_of(split));
}

static void
feed_model(const RecsysSplit *split, RecsysModel *model)
{
	for (uint32 row = 0; row < split->nrows; row++)
	{
		CHECK_FOR_INTERRUPTS();
		for (uint64 x = split->offsets[row]; x < split->offsets[row + 1]; x++)
		{
			RecsysInteraction interaction;

			interaction.item = split->columns[x];
			interaction.weight = split->weights[x];
			interaction.time = split->times != NULL ? split->times[x] : RECSYS_NO_TIME;
			interaction.position = 0;
			RecsysModelAdd(model, &interaction);
		}
		(void) RecsysModelEndUser(model);

		/* rows are in the order of the users' hashes, so that this is as good as a hash */
		RecsysModelSampleUser(model, RecsysRandomAt(RECSYS_SAMPLE_SEED, row));
	}
}

/* What counts of a user's training row, as serving.c has it. */
static int
history_of(const RecsysSplit *split, uint32 row, const RecsysFolding *folding,
		   RecsysInteraction *interactions, RecsysHistoryItem *history)
{
	int			count = 0;

	if (row == RECSYS_NONE)
		return 0;
	for (uint64 x = split->offsets[row]; x < split->offsets[row + 1]; x++)
	{
		interactions[count].item = split->columns[x];
		interactions[count].weight = split->weights[x];
		interactions[count].time = split->times != NULL ? split->times[x] : RECSYS_NO_TIME;
		interactions[count++].position = 0;
	}
	return RecsysHistoryFold(interactions, count, folding, history, NULL);
}

/* Arrays for what is known of the users; returns the length of the longest history. */
static uint64
make_room(const RecsysSplit *split, RecsysEvaluation *evaluation)
{
	uint32		nusers = evaluation->nusers;
	uint64		entries = 0;
	uint64		largest = 1;

	for (uint32 user = 0; user < nusers; user++)
	{
		uint32		row = split->test_rows[user];
		uint64		count = row == RECSYS_NONE ? 0 : split->offsets[row + 1] - split->offsets[row];

		entries += count;
		largest = Max(largest, count);
	}
	evaluation->histories.offsets = recsys_alloc_huge(sizeof(uint64) * ((Size) nusers + 1));
	evaluation->histories.offsets[0] = 0;
	evaluation->histories.items = recsys_alloc_huge(sizeof(uint32) * Max(entries, 1));
	evaluation->weights = recsys_alloc_huge(sizeof(double) * Max(entries, 1));
	if (split->options.exclude_seen)
	{
		evaluation->seen.offsets = recsys_alloc_huge(sizeof(uint64) * ((Size) nusers + 1));
		evaluation->seen.offsets[0] = 0;
		evaluation->seen.items = recsys_alloc_huge(sizeof(uint32) * Max(entries, 1));
	}
	return largest;
}

static void
fill_histories(const RecsysSplit *split, const RecsysFolding *folding, int64 half_life,
			   RecsysEvaluation *evaluation)
{
	uint32		nusers = evaluation->nusers;
	uint64		largest = make_room(split, evaluation);
	uint64		next = 0;
	uint64		next_seen = 0;
	bool		weighted = false;
	int64		now = now_of(split);
	RecsysInteraction *interactions;
	RecsysHistoryItem *history;

	interactions = recsys_alloc_huge(sizeof(RecsysInteraction) * largest);
	history = recsys_alloc_huge(sizeof(RecsysHistoryItem) * largest);
	for (uint32 user = 0; user < nusers; user++)
	{
		uint32		row = split->test_rows[user];
		int			count = history_of(split, row, folding, interactions, history);
		int64		latest = RECSYS_NO_TIME;

		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < count; x++)
			latest = Max(latest, Min(history[x].time, now));
		for (int x = 0; x < count; x++)
		{
			evaluation->histories.items[next] = history[x].item;
			evaluation->weights[next] = history[x].weight *
				RecsysDecay(history[x].time, latest, half_life);
			weighted |= evaluation->weights[next++] != 1.0;
		}
		evaluation->histories.offsets[user + 1] = next;

		if (split->options.exclude_seen)
		{
			uint64		first = row == RECSYS_NONE ? 0 : split->offsets[row];
			uint64		nseen = row == RECSYS_NONE ? 0 : split->offsets[row + 1] - first;

			memcpy(evaluation->seen.items + next_seen, split->columns + first, sizeof(uint32) * nseen);
			next_seen += nseen;
			evaluation->seen.offsets[user + 1] = next_seen;
		}
	}
	pfree(interactions);
	pfree(history);
	if (!weighted)
	{
		pfree(evaluation->weights);
		evaluation->weights = NULL;
	}
}

/*
 * n_i whatever max_history the model has: what bestsellers go by, which all models are
 * measured against.
 */
static void
count_plain_users(const RecsysSplit *split, int max_history, RecsysEvaluation *evaluation)
{
	RecsysModelOptions initial;
	RecsysFolding folding = {0};
	RecsysInteraction *interactions;
	RecsysHistoryItem *history;
	uint64		largest = 1;

	RecsysModelOptionsInit(&initial);
	if (max_history == initial.max_history)
		return;
	folding.max_history = initial.max_history;
	for (uint32 row = 0; row < split->nrows; row++)
		largest = Max(largest, split->offsets[row + 1] - split->offsets[row]);
	interactions = recsys_alloc_huge(sizeof(RecsysInteraction) * largest);
	history = recsys_alloc_huge(sizeof(RecsysHistoryItem) * largest);
	evaluation->plain_users = recsys_alloc_huge_zero(sizeof(uint32) * Max((Size) split->nitems, 1));
	for (uint32 row = 0; row < split->nrows; row++)
	{
		int			count = history_of(split, row, &folding, interactions, history);

		CHECK_FOR_INTERRUPTS();
		for (int x = 0; x < count; x++)
			evaluation->plain_users[history[x].item]++;
	}
	pfree(interactions);
	pfree(history);
}

/* They outlive the model.  It may have none. */
static void
copy_factors(const RecsysFactors *factors, RecsysFactors *copy)
{
	Size		rank;

	memset(copy, 0, sizeof(*copy));
	if (factors == NULL)
		return;
	rank = factors->shape.rank;
	copy->shape = factors->shape;
	copy->items = recsys_alloc_huge(sizeof(float) * rank * Max((Size) factors->shape.nitems, 1));
	memcpy(copy->items, factors->items, sizeof(float) * rank * factors->shape.nitems);
	copy->gram = recsys_alloc_huge(sizeof(float) * rank * rank);
	memcpy(copy->gram, factors->gram, sizeof(float) * rank * rank);
}

/* What speaks for items whoever the user is, and which of them are offered at all */
static void
add_prior(const RecsysSplit *split, const RecsysModelOptions *options, const RecsysModel *model,
		  RecsysEvaluation *evaluation)
{
	const RecsysItemTotals *totals = RecsysModelTotals(model);
	int64		latest = Min(RecsysTotalsLatest(totals), now_of(split));

	if (RecsysModelHasPrior(options))
	{
		RecsysPriorTotals sums;
		RecsysNeighborList list;
		uint32		nitems;
		RecsysPriorItem *items = RecsysModelPriorItems(model, &sums, &nitems);

		(void) RecsysPriorSelect(options, &sums, items, nitems, RECSYS_PRIOR_ITEMS, NULL, &list);
		RecsysEvaluationSetPrior(evaluation, &list);
		pfree(list.neighbors);
		pfree(items);
	}
	if (options->item_max_age > 0)
	{
		evaluation->offered = recsys_alloc_huge(Max(split->nitems, 1));
		for (uint32 item = 0; item < split->nitems; item++)
			evaluation->offered[item] = RecsysIsWithinAge(totals->latest[item], latest,
														  options->item_max_age);
	}
}

int64
RecsysSplitSpan(const RecsysSplit *split)
{
	RecsysTimeSpan *span = palloc0(sizeof(RecsysTimeSpan));
	int64		now = now_of(split);
	int64		length;

	for (uint64 x = 0; split->times != NULL && x < split->offsets[split->nrows]; x++)
		RecsysTimeSpanAdd(span, Min(split->times[x], now));
	length = RecsysTimeSpanGet(span);
	pfree(span);
	return length;
}

/* similarity = auto */
static void
ask_choice(const RecsysSplit *split, const RecsysModelOptions *asked, int64 half_life,
		   RecsysModel *model)
{
	RecsysChoosingOptions choosing = {.asked = asked, .half_life = half_life};

	choosing.span = RecsysSplitSpan(split);
	choosing.now = now_of(split);
	RecsysModelChoose(model, &choosing, split->times != NULL);
}

/* A model with all histories, chosen if it is to be: options and half_life are those to use. */
static RecsysModel *
gather_model(RecsysSplit *split, RecsysModelOptions *options, int max_history, int64 *half_life,
			 int nworkers, Size memory_limit)
{
	RecsysModelOptions asked = *options;
	int64		latest = latest_of(split);
	RecsysModel *model;
	bool		decays;

	RecsysModelOptionsResolve(options);
	decays = RecsysModelDecays(options, latest);
	model = RecsysModelCreate(split->nitems,
							  (split->weighted && RecsysModelHasWeights(options)) || decays,
							  max_history, Max(memory_limit, MIN_MODEL_MEMORY), false, nworkers);
	RecsysModelSetTransform(model, options->weight_transform);
	if (decays)
		RecsysModelSetDecay(model, options->training_half_life, latest);
	if (RecsysModelUsesOrder(options))
		RecsysModelKeepOrder(model);
	RecsysModelKeepLatest(model);
	if (asked.similarity == RECSYS_AUTO)
		ask_choice(split, &asked, *half_life, model);
	else
		RecsysModelKeepRecent(model, options->popularity_half_life, now_of(split));
	feed_model(split, model);
	(void) RecsysModelFinish(model);
	if (RecsysModelGetChoice(model) != NULL)
	{
		*options = RecsysModelGetChoice(model)->best.options;
		*half_life = RecsysModelGetChoice(model)->best.half_life;
	}
	return model;
}

void
RecsysSplitChoose(RecsysSplit *split, int nworkers, RecsysModelOptions *options, int64 *half_life)
{
	Size		used = MemoryContextMemAllocated(split->context, true);

	RecsysCheckQueryHalfLives(split->timed, *half_life, options);
	RecsysCheckEvaluationMemory(used, split->options.memory_limit);
	RecsysModelFree(gather_model(split, options, options->max_history, half_life, nworkers,
								 split->options.memory_limit - used));
}

/* What the baskets before those held out tell; rows stay the split's. */
static void
add_baskets(const RecsysSplit *split, const RecsysFolding *folding, RecsysEvaluation *evaluation)
{
	const RecsysSplitBaskets *kept = split->baskets;
	RecsysBaskets *baskets = palloc0(sizeof(RecsysBaskets));

	baskets->mix = RecsysNextBasketDefaults;
	baskets->offsets = kept->offsets;
	baskets->items = kept->items;
	baskets->weights = kept->weights;
	baskets->times = kept->times;
	baskets->at = kept->at;
	baskets->folding = *folding;
	baskets->rhythms = kept->rhythms;
	for (uint32 item = 0; item < split->nitems; item++)
	{
		baskets->prior.users += evaluation->item_users[item];
		RecsysRhythmAddAll(&baskets->prior.rhythm, &kept->rhythms[item]);
	}
	evaluation->baskets = baskets;
}

void
RecsysSplitTrain(RecsysSplit *split, const RecsysModelOptions *asked, int max_history,
				 int64 half_life, int nworkers, RecsysEvaluation *evaluation)
{
	Size		limit = split->options.memory_limit;
	Size		used = MemoryContextMemAllocated(split->context, true);
	Size		slots = Max(split->nitems, 1);
	RecsysModelOptions options = *asked;
	RecsysFolding folding = {.max_history = max_history};
	RecsysGraphCollector collector;
	const RecsysItemTotals *totals;
	RecsysModel *model;

	RecsysCheckQueryHalfLives(split->timed, half_life, &options);
	RecsysCheckEvaluationMemory(used, limit);
	evaluation->nitems = split->nitems;
	evaluation->nusers = RecsysSplitUsers(split);
	evaluation->test = split->test;
	model = gather_model(split, &options, max_history, &half_life, nworkers, limit - used);
	folding.transform = options.weight_transform;
	fill_histories(split, &folding, half_life, evaluation);
	used += MemoryContextMemAllocated(CurrentMemoryContext, false);
	RecsysCheckEvaluationMemory(used, limit);

	RecsysGraphCollectorInit(&collector, evaluation, limit - used);
	totals = RecsysModelTotals(model);
	evaluation->nusers_trained = totals->nusers;
	evaluation->item_users = recsys_alloc_huge(sizeof(uint32) * slots);
	memcpy(evaluation->item_users, totals->users, sizeof(uint32) * split->nitems);
	count_plain_users(split, max_history, evaluation);
	add_prior(split, &options, model, evaluation);
	RecsysModelRun(model, &options, collect_row, &collector);
	copy_factors(RecsysModelFactors(model), &evaluation->factors);
	RecsysModelFree(model);
	RecsysGraphCollectorFinish(&collector);

	evaluation->popular = recsys_alloc_huge(sizeof(uint32) * slots);
	RecsysEvaluationSortItems(evaluation);
	if (split->baskets != NULL)
		add_baskets(split, &folding, evaluation);
}
