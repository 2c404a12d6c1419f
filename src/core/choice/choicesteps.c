/*
 * choicesteps.c
 *	  The steps of a choice.
 *
 * Steps that need other rows make a list of models, count them all at once as far as
 * memory suffices, and rank with each.  The others rank with the rows of the best.
 */
#include "core/choice/choicesteps.h"

#include <math.h>

#include "core/choice/timespan.h"
#include "core/pairs/modeloptions.h"

#define MOST_MODELS 64

/* Gaps between interactions that are looked at */
#define MOST_GAPS 65536

/* Of sales, so many in a thousand may come after an item's maximal age. */
#define AGED_PERMILLE 10

/* By how much others must be better than what is cheaper, or safer */
#define WORTH_ANOTHER_ROUND 1.005
#define WORTH_MORE_NEIGHBORS 1.005
#define WORTH_POPULARITY 1.005	/* beyond what follows */
#define MODEST_POPULARITY 10
#define WORTH_FADING 1.002
#define WORTH_SINGLE_USERS 1.02

/*
 * Damping popular items is a bet that tomorrow's taste is as broad as today's, and what is
 * bought tomorrow was more popular than what is held out wherever that could be seen.  So
 * each tenth of beta has to be worth 0.7 %.
 */
#define WORTH_DAMPING 0.07
#define WORTH_WEIGHTS 1.01

typedef struct ModelList
{
	RecsysModelOptions models[MOST_MODELS];
	int			count;
} ModelList;

static bool
is_free(double value)
{
	return value == RECSYS_MODEL_DEFAULT;
}

RecsysChoiceTried
RecsysChoiceShown(const RecsysChoiceSearch *search, const RecsysChoiceTried *tried)
{
	RecsysChoiceTried shown = *tried;

	if (search->split->weights == NULL ||
		search->task->asked.weight_transform != RECSYS_TRANSFORM_AUTO)
		shown.options.weight_transform = search->task->asked.weight_transform;
	if (shown.options.weight_transform == RECSYS_TRANSFORM_AUTO)
		shown.options.weight_transform = RECSYS_TRANSFORM_NONE;
	return shown;
}

/* Puts a model to its place among the best. */
static void
pass_on(RecsysChoiceSearch *search, const RecsysChoiceTried *tried)
{
	int			place = search->npassed;

	while (place > 0 && search->passed[place - 1].ndcg < tried->ndcg)
		place--;
	if (place == RECSYS_CHOICE_PASSED)
		return;
	search->npassed = Min(search->npassed + 1, RECSYS_CHOICE_PASSED);
	for (int x = search->npassed - 1; x > place; x--)
		search->passed[x] = search->passed[x - 1];
	search->passed[place] = *tried;
}

static bool
is_same(const RecsysChoiceTried *a, const RecsysChoiceTried *b)
{
	return a->half_life == b->half_life && memcmp(&a->options, &b->options, sizeof(a->options)) == 0;
}

/* Steps may come back to the best one, which is not its own runner-up. */
static void
note_second(RecsysChoiceSearch *search, const RecsysChoiceTried *tried)
{
	if (tried->ndcg > search->second.ndcg && !is_same(tried, &search->best))
		search->second = *tried;
}

/*
 * Measures a model; it becomes the best if it is better by the factor.  Returns whether
 * it does; its rows are then in use.
 */
static bool
measure(RecsysChoiceSearch *search, const RecsysChoiceModel *model, double factor)
{
	RecsysChoiceTried tried = {.options = model->options, .half_life = model->half_life};
	RecsysChoiceTried before;
	double	   *swap;

	tried.ndcg = RecsysChoiceRank(search->ranker, model, search->ndcg);
	search->tried++;
	pass_on(search, &tried);
	if (search->report != NULL)
	{
		RecsysChoiceTried shown = RecsysChoiceShown(search, &tried);

		search->report(search->arg, &shown, false);
	}
	if (!(tried.ndcg > search->best.ndcg * factor))
	{
		note_second(search, &tried);
		return false;
	}
	before = search->best;
	search->best = tried;
	if (is_same(&search->second, &tried))
		search->second.ndcg = -1;
	note_second(search, &before);
	search->best_trend = model->trend;
	swap = search->best_ndcg;
	search->best_ndcg = search->ndcg;
	search->ndcg = swap;
	return true;
}

/* The best one, to be varied */
static RecsysChoiceModel
best_model(const RecsysChoiceSearch *search)
{
	return (RecsysChoiceModel) {.rows = search->best_rows, .trend = search->best_trend,
		.options = search->best.options, .half_life = search->best.half_life};
}

static void
release(RecsysChoiceSearch *search)
{
	if (search->best_rows != NULL)
		RecsysChoiceRowsFree(search->best_rows);
	if (search->ranker != NULL)
		RecsysChoiceRankerFree(search->ranker);
	if (search->counter != NULL)
		RecsysChoiceCounterFree(search->counter);
	search->best_rows = NULL;
}

/* From now on these users are asked for; bestsellers are measured, nothing else yet. */
static void
ask(RecsysChoiceSearch *search, const RecsysChoiceSplit *split)
{
	RecsysChoiceModel popular = {0};
	RecsysChoiceTried tried = {0};

	release(search);
	search->split = split;
	search->counter = RecsysChoiceCounterCreate(split);
	search->ranker = RecsysChoiceRankerCreate(split, search->counter);
	search->popular = tried.ndcg = RecsysChoiceRank(search->ranker, &popular, search->popular_ndcg);
	search->best.ndcg = search->second.ndcg = -1;
	search->npassed = 0;
	if (search->report != NULL)
		search->report(search->arg, &tried, true);
}

RecsysChoiceSearch *
RecsysChoiceSearchCreate(const RecsysChoiceSplit *split, const RecsysChoiceTask *task,
						 RecsysChoiceReporter report, void *arg)
{
	RecsysChoiceSearch *search = palloc0(sizeof(RecsysChoiceSearch));

	search->all = split;
	search->some = *split;
	search->some.ntest = Max(split->ntest / 3, Min(split->ntest, RECSYS_CHOICE_USERS));
	search->task = task;
	if (!task->half_life_is_free && split->times != NULL)
		search->best.half_life = task->half_life;
	if (!task->trend_is_free && split->trends[1] > 0)
		search->asked_trend = search->best_trend = 1;
	search->report = report;
	search->arg = arg;
	search->best_ndcg = palloc0(sizeof(double) * Max(split->ntest, 1));
	search->popular_ndcg = palloc0(sizeof(double) * Max(split->ntest, 1));
	search->ndcg = palloc0(sizeof(double) * Max(split->ntest, 1));
	ask(search, &search->some);
	return search;
}

void
RecsysChoiceSearchFree(RecsysChoiceSearch *search)
{
	release(search);
	pfree(search->best_ndcg);
	pfree(search->popular_ndcg);
	pfree(search->ndcg);
	pfree(search);
}

/* Exponents that will be shown; what is asked for is kept as it is. */
static double
rounded(double exponent)
{
	return Min(Max(rint(exponent * 100) / 100, 0), 2);
}

/* What is asked for takes the place of what was thought of; each model once. */
static void
add_model(const RecsysChoiceTask *task, ModelList *list, RecsysModelOptions model)
{
	const RecsysModelOptions *asked = &task->asked;

	model.alpha = rounded(model.alpha);
	model.beta = rounded(model.beta);
	model.user_damping = rounded(model.user_damping);
	if (!is_free(asked->alpha))
		model.alpha = asked->alpha;
	if (!is_free(asked->beta) && model.similarity == RECSYS_RP3BETA)
		model.beta = asked->beta;
	if (!is_free(asked->user_damping))
		model.user_damping = asked->user_damping;
	if (!is_free(asked->shrinkage))
		model.shrinkage = asked->shrinkage;
	if (!is_free((int) asked->min_support))
		model.min_support = asked->min_support;
	if (!is_free(asked->neighbors))
		model.neighbors = asked->neighbors;

	/* damping of cosine would take other norms */
	if (model.similarity == RECSYS_COSINE && model.user_damping != 0)
		return;
	if (list->count == MOST_MODELS)
		return;
	for (int m = 0; m < list->count; m++)
		if (memcmp(&list->models[m], &model, sizeof(model)) == 0)
			return;
	list->models[list->count++] = model;
}

/*
 * What all models of a choice have in common.  Where a transform is asked for, histories
 * come with it.
 */
static RecsysModelOptions
template(const RecsysChoiceSearch *search)
{
	const RecsysChoiceTask *task = search->task;
	RecsysModelOptions model = task->asked;

	model.similarity = RECSYS_RP3BETA;
	RecsysModelOptionsResolve(&model);

	/* without weights, it does not matter what is asked to be made of them */
	if (task->asked.weight_transform == RECSYS_TRANSFORM_AUTO || search->split->weights == NULL)
		model.weight_transform = RECSYS_TRANSFORM_BINARY;
	else if (model.weight_transform == RECSYS_TRANSFORM_LOG)
		model.weight_transform = RECSYS_TRANSFORM_NONE;
	return model;
}

/* May the model be counted together with those from first on? */
static bool
fits_count(const ModelList *list, int first, int next, Size used, Size limit)
{
	RecsysChoiceLane lanes[RECSYS_CHOICE_LANES];
	int			nlanes = 0;

	if (next > first && used > limit)
		return false;
	for (int x = first; x <= next; x++)
	{
		RecsysChoiceLane lane = RecsysChoiceLaneOf(&list->models[x]);
		bool		known = lane.transform == RECSYS_TRANSFORM_BINARY && lane.damping == 0;

		for (int y = 0; y < nlanes; y++)
			known |= RecsysChoiceLanesEqual(&lanes[y], &lane);
		if (known)
			continue;
		if (nlanes == RECSYS_CHOICE_LANES - 1)
			return false;
		lanes[nlanes++] = lane;
	}
	return true;
}

static double
factor_of(const RecsysChoiceSearch *search, const RecsysModelOptions *model)
{
	const RecsysModelOptions *best = &search->best.options;
	double		factor = 1;

	if (search->best_rows == NULL)
		return 1;
	if (model->neighbors > best->neighbors)
		factor *= WORTH_MORE_NEIGHBORS;
	if (model->min_support == 1 && best->min_support > 1)
		factor *= WORTH_SINGLE_USERS;
	if (model->min_support > 1 && best->min_support == 1)
		factor /= WORTH_SINGLE_USERS;
	if (model->similarity == RECSYS_RP3BETA && best->similarity == RECSYS_RP3BETA)
		factor *= exp(WORTH_DAMPING * (model->beta - best->beta));
	return factor;
}

/*
 * Counts and measures all models of the list, in as few counts as memory allows.  They
 * have to be better by the factor.
 */
static void
try_list(RecsysChoiceSearch *search, const ModelList *list, double factor)
{
	RecsysChoiceRows *rows[MOST_MODELS];
	int			next;

	for (int first = 0; first < list->count; first = next)
	{
		Size		used = 0;

		for (next = first; next < list->count; next++)
		{
			used += RecsysChoiceRowsMemory(search->counter, list->models[next].neighbors);
			if (!fits_count(list, first, next, used, search->task->memory_limit))
				break;
			rows[next] = RecsysChoiceRowsCreate(search->counter, &list->models[next]);
		}
		RecsysChoiceCount(search->counter, rows + first, next - first);
		for (int m = first; m < next; m++)
		{
			RecsysChoiceModel model = best_model(search);

			model.rows = rows[m];
			model.options = list->models[m];
			if (measure(search, &model, factor * factor_of(search, &list->models[m])))
			{
				if (search->best_rows != NULL)
					RecsysChoiceRowsFree(search->best_rows);
				search->best_rows = rows[m];
			}
			else
				RecsysChoiceRowsFree(rows[m]);
		}
	}
}

static void
try_pairs_of_several(RecsysChoiceSearch *search)
{
	static const double ways[][2] = {{0.4, 0}, {0.5, 0.2}, {0.7, 0}, {0.7, 0.3}, {1, 0}};
	static const double betas[] = {0.2, 0, 0.4, 0.6};
	ModelList	list = {.count = 0};
	RecsysModelOptions model = template(search);

	for (int way = 0; way < (int) lengthof(ways); way++)
	{
		model.alpha = ways[way][0];
		model.user_damping = ways[way][1];
		for (int b = 0; b < (int) lengthof(betas); b++)
		{
			model.beta = betas[b];
			add_model(search->task, &list, model);
		}
	}
	if (model.weight_transform == RECSYS_TRANSFORM_BINARY)
	{
		model.similarity = RECSYS_COSINE;
		model.alpha = model.user_damping = 0;
		for (int shrinkage = 0; shrinkage <= 10; shrinkage += 10)
		{
			model.shrinkage = shrinkage;
			add_model(search->task, &list, model);
		}
	}
	try_list(search, &list, 1);
}

/* Pairs of single users too: those say more of popular items the less these are damped. */
static void
try_pairs_of_one(RecsysChoiceSearch *search)
{
	ModelList	list = {.count = 0};
	RecsysModelOptions model = search->best.options;

	model.min_support = 1;
	if (model.similarity != RECSYS_RP3BETA)
		model = template(search);
	model.min_support = 1;
	for (int way = 0; way < 2; way++)
	{
		for (double less = 0; less < 0.5; less += 0.2)
		{
			RecsysModelOptions tried = model;

			tried.beta = Max(model.beta - less, 0);
			add_model(search->task, &list, tried);
		}
		model.alpha = 0.4;
		model.user_damping = 0;
		model.beta = 0.4;
	}
	try_list(search, &list, 1);
}

/* Steps from the best in one direction each */
static void
add_around(RecsysChoiceSearch *search, ModelList *list)
{
	static const double steps[][3] = {
		/* alpha, user_damping, beta */
		{0, 0, -0.1}, {0, 0, 0.1},
		{-0.15, 0.15, 0}, {0.15, -0.15, 0}, {-0.15, 0.15, 0.1}, {0.15, -0.15, -0.1},
		{0, 0.25, 0}, {0, -0.25, 0}
	};
	RecsysModelOptions best = search->best.options;
	RecsysModelOptions model;

	for (int s = 0; best.similarity == RECSYS_RP3BETA && s < (int) lengthof(steps); s++)
	{
		model = best;
		model.alpha += steps[s][0];
		model.user_damping += steps[s][1];
		model.beta += steps[s][2];
		if (model.alpha > 0 && model.user_damping >= 0 && model.beta >= 0)
			add_model(search->task, list, model);
	}
	model = best;
	model.shrinkage = best.shrinkage > 0 ? best.shrinkage / 2 : 2;
	add_model(search->task, list, model);
	model = best;
	model.neighbors = 50;
	add_model(search->task, list, model);
	model.neighbors = 200;
	add_model(search->task, list, model);
}

void
RecsysChoiceTryGrid(RecsysChoiceSearch *search)
{
	ModelList	list = {.count = 0};

	try_pairs_of_several(search);
	try_pairs_of_one(search);

	/* the safer ones first again */
	for (int support = 2; support >= 1; support--)
		for (int x = 0; x < search->npassed; x++)
			if ((search->passed[x].options.min_support > 1) == (support > 1))
				add_model(search->task, &list, search->passed[x].options);
	add_around(search, &list);
	search->center = search->best.options;
	ask(search, search->all);
	try_list(search, &list, 1);
}

void
RecsysChoiceTryAround(RecsysChoiceSearch *search)
{
	double		before = 0;

	while (search->best.ndcg > before * WORTH_ANOTHER_ROUND &&
		   memcmp(&search->best.options, &search->center, sizeof(search->center)) != 0)
	{
		ModelList	list = {.count = 0};

		before = search->best.ndcg;
		search->center = search->best.options;
		add_around(search, &list);
		try_list(search, &list, 1);
	}
}

static bool
try_popularity(RecsysChoiceSearch *search, double popularity, int trend)
{
	RecsysChoiceModel model = best_model(search);

	if (search->task->trend_is_free)
	{
		if (trend > 0 && search->split->trends[trend] == 0)
			return false;
		model.options.popularity_half_life = search->split->trends[trend];
	}
	model.options.popularity = popularity;
	model.trend = trend;
	return measure(search, &model,
				   popularity > MODEST_POPULARITY && popularity > search->best.options.popularity ?
				   WORTH_POPULARITY : 1);
}

/* Twice and half as much, as long as that helps; in the end lists are bestsellers. */
void
RecsysChoiceTryMorePopularity(RecsysChoiceSearch *search)
{
	double		size = search->best.options.popularity;

	if (size == 0 || !is_free(search->task->asked.popularity))
		return;
	for (int x = 0; x < 6 && try_popularity(search, size * 2, search->best_trend); x++)
		size *= 2;
	size = search->best.options.popularity;
	for (int x = 0; x < 4 && try_popularity(search, size / 2, search->best_trend); x++)
		size /= 2;
}

/* Half-lives of popularity to try: those there are, or the one that is asked for. */
static bool
may_be_trend(const RecsysChoiceSearch *search, int trend)
{
	if (search->task->trend_is_free)
		return trend == 0 || search->split->trends[trend] > 0;
	return trend == search->asked_trend;
}

void
RecsysChoiceTryPopularity(RecsysChoiceSearch *search)
{
	static const double sizes[] = {1, 10, 100};
	const RecsysChoiceTask *task = search->task;
	ModelList	list = {.count = 0};

	for (int trend = 0; trend < RECSYS_CHOICE_TRENDS; trend++)
	{
		if (!may_be_trend(search, trend))
			continue;
		if (!is_free(task->asked.popularity) && trend > 0 && task->asked.popularity > 0)
			(void) try_popularity(search, task->asked.popularity, trend);
		for (int s = 0; is_free(task->asked.popularity) && s < (int) lengthof(sizes); s++)
			(void) try_popularity(search, sizes[s], trend);
	}
	if (search->best.options.popularity == 0 || !is_free(task->asked.popularity))
		return;

	/* with a prior, rows may tell more of what is rare */
	if (search->best.options.similarity == RECSYS_RP3BETA)
	{
		for (double step = -0.1; step < 0.35; step += 0.1)
		{
			RecsysModelOptions model = search->best.options;

			model.beta += step;
			if (model.beta >= 0 && step != 0)
				add_model(task, &list, model);
		}
		try_list(search, &list, 1);
	}

	RecsysChoiceTryMorePopularity(search);
}

/* Times may be as far apart as there are any. */
static int64
time_between(int64 from, int64 to)
{
	int64		length;

	return __builtin_sub_overflow(to, from, &length) ? PG_INT64_MAX / 100 : Min(length, PG_INT64_MAX / 100);
}

/* The median of the times between a user's interactions, those at one time apart */
static int64
usual_gap(const RecsysChoiceSplit *split)
{
	int64	   *gaps = palloc(sizeof(int64) * MOST_GAPS);
	int64	   *times = recsys_alloc_huge(sizeof(int64) * Max(split->nasked, 1));
	uint32		ngaps = 0;
	int64		gap = 0;

	for (uint32 t = 0; t < split->ntest && ngaps < MOST_GAPS; t++)
	{
		uint64		first = split->users.offsets[split->test_users[t]];
		uint32		n = (uint32) (split->users.offsets[split->test_users[t] + 1] - first);

		memcpy(times, split->times + first, sizeof(int64) * n);
		qsort_interruptible(times, n, sizeof(int64), RecsysCompareTimes, NULL);
		for (uint32 x = 1; x < n && ngaps < MOST_GAPS; x++)
			if (times[x] > times[x - 1] && times[x - 1] != RECSYS_NO_TIME)
				gaps[ngaps++] = time_between(times[x - 1], times[x]);
	}
	if (ngaps > 0)
	{
		qsort_interruptible(gaps, ngaps, sizeof(int64), RecsysCompareTimes, NULL);
		gap = gaps[ngaps / 2];
	}
	pfree(gaps);
	pfree(times);
	return gap;
}

void
RecsysChoiceTryHalfLives(RecsysChoiceSearch *search)
{
	static const int multiples[] = {10, 3, 1, 30};
	RecsysChoiceModel model;
	int64		gap;

	if (search->split->times == NULL || !search->task->half_life_is_free)
		return;
	gap = usual_gap(search->split);
	if (gap <= 0)
		return;
	for (int x = 0; x < (int) lengthof(multiples); x++)
	{
		model = best_model(search);
		model.half_life = RecsysChoiceRound(gap * multiples[x]);
		(void) measure(search, &model, WORTH_FADING);
	}
}

/* The age of items when they are taken: nearly all that is taken is younger. */
static int64
usual_age(const RecsysChoiceSplit *split)
{
	int64	   *ages = palloc(sizeof(int64) * MOST_GAPS);
	uint32		nages = 0;
	int64		age = 0;

	for (uint64 x = 0; x < split->test_offsets[split->ntest] && nages < MOST_GAPS; x++)
	{
		int64		last = split->last[split->test_items[x]];

		if (last != RECSYS_NO_TIME)
			ages[nages++] = time_between(last, split->latest);
	}
	if (nages > 0)
	{
		qsort_interruptible(ages, nages, sizeof(int64), RecsysCompareTimes, NULL);
		age = ages[nages - 1 - nages * AGED_PERMILLE / 1000];
	}
	pfree(ages);
	return age;
}

void
RecsysChoiceTryMaxAge(RecsysChoiceSearch *search)
{
	RecsysChoiceModel model = best_model(search);
	int64		age;

	if (!search->split->ahead || !search->task->max_age_is_free)
		return;
	age = usual_age(search->split);
	if (age <= 0)
		return;

	/* nothing is lost by leaving out what is not bought, so it need not gain */
	model.options.item_max_age = RecsysChoiceRound(age);
	(void) measure(search, &model, 0.999);
}

void
RecsysChoiceTryWeights(RecsysChoiceSearch *search)
{
	static const RecsysWeightTransform transforms[] = {RECSYS_TRANSFORM_LOG, RECSYS_TRANSFORM_NONE};
	const RecsysModelOptions *best = &search->best.options;
	RecsysModelOptions model = *best;

	if (search->split->weights == NULL || best->similarity != RECSYS_RP3BETA ||
		search->task->asked.weight_transform != RECSYS_TRANSFORM_AUTO)
		return;
	for (int t = 0; t < (int) lengthof(transforms); t++)
	{
		ModelList	list = {.count = 0};

		model.weight_transform = transforms[t];
		add_model(search->task, &list, model);
		try_list(search, &list, WORTH_WEIGHTS);
	}
}
