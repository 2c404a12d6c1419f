/*
 * choice.c
 *	  similarity = auto: the model that foretells a sample of the data best.
 *
 * A coordinate search in the order in which options matter, each step over what is left
 * free, with the best model so far as its center:
 *
 * 1. a coarse grid of the family sum_u n_u^-g / (n_i^a n_j^b), and cosine, asked of some of
 *	  the users; the best few, and those around the best, of all of them;
 * 2. how soon the user's own interactions fade;
 * 3. how much popularity counts, and over which time;
 * 4. a fine grid around the best, and popularity once more;
 * 5. whether what nobody has bought for long is left out;
 * 6. what weights mean, if there are any: until here only that there is one.
 *
 * The valley of a and b is two-dimensional (the best pairs that were seen are (1, .2), (.8,
 * .7) and (.6, .3)), so they are searched together.  Models are compared user by user.
 * A simpler one stays unless another is clearly better: what costs more to serve, or tells
 * more of single users (min_support = 1), has to be worth it.
 */
#include "core/choice/choice.h"

#include <math.h>

#include "core/choice/choicesteps.h"
#include "core/measure/significance.h"
#include "core/pairs/modeloptions.h"

/*
 * The best of many looks better than it is.  What is only a little better than bestsellers
 * is asked of other users, too, and has to be better there by as much as follows.
 */
#define CLEARLY_BETTER 1.1
#define BETTER_ELSEWHERE 1.005

/* With so much of it nothing else decides. */
#define ALL_POPULARITY 10000

/* Where there is too little to tell from. */
static void
fall_back(const RecsysChoiceTask *task, RecsysChoice *choice)
{
	choice->best.options = task->asked;
	choice->best.options.similarity = RECSYS_COSINE;
	RecsysModelOptionsResolve(&choice->best.options);
	choice->best.half_life = task->half_life;
}

/* By a paired one-sided test over users: is the best better than bestsellers? */
static double
p_of_popular(const RecsysChoiceSearch *search)
{
	uint32		n = search->split->ntest;
	double	   *differences = palloc(sizeof(double) * n);
	double		sum = 0;
	double		p;

	for (uint32 t = 0; t < n; t++)
	{
		differences[t] = search->best_ndcg[t] - search->popular_ndcg[t];
		sum += differences[t];
	}
	p = RecsysPairedT(differences, n) / 2;
	pfree(differences);
	return sum > 0 ? p : 1 - p;
}

/* The same among the users of another split, as far as their lists tell. */
static bool
is_better_there(const RecsysChoiceSplit *split, const RecsysChoiceTried *best, int trend)
{
	RecsysChoiceCounter *counter = RecsysChoiceCounterCreate(split);
	RecsysChoiceRanker *ranker = RecsysChoiceRankerCreate(split, counter);
	RecsysChoiceRows *rows = RecsysChoiceRowsCreate(counter, &best->options);
	RecsysChoiceModel model = {.rows = rows, .options = best->options, .trend = trend,
		.half_life = best->half_life};
	RecsysChoiceModel popular = {0};
	double	   *ndcg = palloc(sizeof(double) * split->ntest);
	bool		better;

	RecsysChoiceCount(counter, &rows, 1);
	better = RecsysChoiceRank(ranker, &model, ndcg) >
		RecsysChoiceRank(ranker, &popular, ndcg) * BETTER_ELSEWHERE;
	pfree(ndcg);
	RecsysChoiceRowsFree(rows);
	RecsysChoiceRankerFree(ranker);
	RecsysChoiceCounterFree(counter);
	return better;
}

/*
 * Asks users who had no part in the choice, if there are enough of them: is the chosen
 * model better than bestsellers there, too?
 */
static bool
is_better_elsewhere(RecsysChoiceSample *sample, const RecsysChoice *choice,
					const RecsysChoiceTried *best, int trend)
{
	RecsysChoiceSplit *split;
	bool		better = true;

	if (!(choice->best.ndcg > choice->popular * BETTER_ELSEWHERE))
		return false;
	split = RecsysChoiceSplitCreate(sample, choice->users);
	if (split->ntest >= RECSYS_CHOICE_USERS)
		better = is_better_there(split, best, trend);
	RecsysChoiceSplitFree(split);
	return better;
}

/* Lists become bestsellers; similar items stay those of the model. */
static void
take_bestsellers(const RecsysChoiceTask *task, RecsysChoice *choice)
{
	RecsysModelOptions *best = &choice->best.options;

	choice->second = choice->best;
	best->popularity = ALL_POPULARITY;
	best->popularity_half_life = Max(task->asked.popularity_half_life, 0);
	best->item_max_age = Max(task->asked.item_max_age, 0);
	choice->best.ndcg = choice->popular;
	choice->p_popular = 1;
}

void
RecsysChoose(RecsysChoiceSample *sample, const RecsysChoiceTask *task,
			 RecsysChoiceReporter report, void *arg, RecsysChoice *choice)
{
	RecsysChoiceSplit *split = RecsysChoiceSplitCreate(sample, 0);
	RecsysChoiceSearch *search;
	RecsysChoiceTried best;
	int			trend;

	memset(choice, 0, sizeof(*choice));
	choice->users = split->ntest;
	if (split->ntest < RECSYS_CHOICE_USERS)
	{
		fall_back(task, choice);
		RecsysChoiceSplitFree(split);
		return;
	}

	search = RecsysChoiceSearchCreate(split, task, report, arg);
	RecsysChoiceTryGrid(search);
	RecsysChoiceTryHalfLives(search);
	RecsysChoiceTryPopularity(search);
	RecsysChoiceTryAround(search);
	RecsysChoiceTryMorePopularity(search);
	RecsysChoiceTryMaxAge(search);
	RecsysChoiceTryWeights(search);

	choice->measured = true;
	best = search->best;
	trend = search->best_trend;
	choice->best = RecsysChoiceShown(search, &search->best);
	choice->second = RecsysChoiceShown(search, &search->second);
	choice->popular = search->popular;
	choice->p_popular = p_of_popular(search);
	choice->tried = search->tried;
	RecsysChoiceSearchFree(search);
	RecsysChoiceSplitFree(split);

	if (choice->best.ndcg < choice->popular * CLEARLY_BETTER &&
		task->asked.popularity == RECSYS_MODEL_DEFAULT &&
		!is_better_elsewhere(sample, choice, &best, trend))
		take_bestsellers(task, choice);
}
