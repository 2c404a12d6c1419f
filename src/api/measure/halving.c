/*
 * halving.c
 *	  A search over models: many on samples of the users, the best of them in full.
 *
 * Most models that a search tries are far from the best, which a part of the users tells
 * as well.  So there are three levels, and the best of each go on to the next: Jamieson,
 * Talwalkar: Non-stochastic best arm identification and hyperparameter optimization,
 * AISTATS 2016 (successive halving).
 *
 * RECSYS_LEVEL_SAMPLE		A quarter of the users to learn from, and their held-out items.
 *							Fewer users share a pair then, which favors models that damp
 *							less.  So only what is far behind is dropped here, and every
 *							family that is not sends its best.  What is left of the budget is
 *							for the next level.
 * RECSYS_LEVEL_SOME_USERS	The whole model, asked of the same users.  From the best on, the
 *							search goes step by step (candidates.c).
 * RECSYS_LEVEL_FULL		All users.  These are the results.
 *
 * Before all of it comes what similarity = auto chooses: it is tried in full, so that the
 * answer is never less, and the steps of the second level set out from it, too.
 *
 * A trial counts as much as it costs: a half of a full one at the second level, where the
 * training is whole, and a quarter at the first.  This is not measured by the clock, so
 * that the same seed gives the same trials.  Few users are all asked, and then all trials
 * are full ones.
 */
#include "postgres.h"

#include <math.h>

#include "api/measure/halving.h"
#include "api/measure/measuring.h"
#include "api/measure/model_argument.h"
#include "api/measure/startingmodels.h"
#include "core/base/platform.h"
#include "core/pairs/modeloptions.h"
#include "source/input/splitsample.h"
#include "source/train/split_train.h"
#include "utils/memutils.h"

/* A sample has at least so many users with held-out items, and at most so many. */
#define FEWEST_SAMPLED 500
#define MOST_SAMPLED 5000

/* With fewer trials a sample leaves too little for full ones. */
#define FEWEST_TRIALS 4

/* What a trial costs at each level, in quarters of a full one */
static const int costs[RECSYS_LEVELS] = {1, 2, 4};

/* Of the trials' budget and of the time: what the levels up to each have used at its end */
static const double budget_shares[RECSYS_LEVELS] = {0.3, 0.7, 1.0};
static const double time_shares[RECSYS_LEVELS] = {0.3, 0.7, 1.0};

/* Of a level's budget, what is for the models that it begins with; the rest is for steps. */
#define QUEUE_SHARE 0.7

/* So few trials are for trying different families alone. */
#define TRIALS_OF_FAMILIES 15

/* A family whose best is further behind than this does not get beyond the first level. */
#define HOPELESS 0.8

typedef struct Search
{
	RecsysTrials *trials;
	RecsysCandidates *candidates;
	List	   *starting;		/* texts */
	RecsysCandidate *chosen;	/* by similarity = auto, or NULL */
	int			aside;			/* what it has cost in full, in quarters of a full trial */
	int			spent;			/* the rest, likewise */
	uint32		thinning;		/* of the samples' users; 0: there are none */
} Search;

static int
budget_of(const Search *search, RecsysLevel level)
{
	double		quarters = search->trials->max_trials * 4.0 - search->aside;

	return (int) (quarters * budget_shares[level]) - search->spent;
}

/* May another trial be made at the level?  One full trial is made, whatever the time. */
static bool
may_go_on(const Search *search, RecsysLevel level, int budget)
{
	const RecsysTrials *trials = search->trials;

	if (level == RECSYS_LEVEL_FULL && trials->nfull == 0)
		return true;
	return budget >= costs[level] && RecsysTimeIsLeft(trials, time_shares[level]);
}

/* A failed trial costs nothing: there may be many that memory does not suffice for. */
static void
try_at(Search *search, RecsysCandidate *candidate, RecsysLevel level)
{
	if (candidate->tried[level] || candidate->failed)
		return;
	if (RecsysTryCandidate(search->trials, candidate, level))
		search->spent += costs[level];
}

/*
 * Steps from the best counted, or the best learned models on, until so much budget is left,
 * or that share of the time has passed.
 */
static void
take_steps(Search *search, RecsysLevel level, bool counted, int kept, double time_share)
{
	RecsysCandidate *next;

	while (may_go_on(search, level, budget_of(search, level) - kept) &&
		   RecsysTimeIsLeft(search->trials, time_share) &&
		   (next = RecsysNextStep(search->candidates, level, counted)) != NULL)
		try_at(search, next, level);
}

/* How long a model takes, roughly: pairs that are counted, columns, matrices, a large inverse */
static int
expense_of(const RecsysCandidate *candidate)
{
	static const RecsysSimilarity families[] = {RECSYS_SLIM, RECSYS_ALS, RECSYS_SPECTRAL, RECSYS_EASE};

	for (int x = 0; x < (int) lengthof(families); x++)
		if (candidate->similarity == families[x])
			return x + 1;
	return 0;
}

/* What there is budget for, that which takes long last: the time may be up before. */
static List *
quick_first(List *queue, int count)
{
	List	   *ordered = NIL;

	for (int expense = 0; expense <= 4; expense++)
	{
		for (int x = 0; x < Min(list_length(queue), count); x++)
		{
			RecsysCandidate *candidate = list_nth(queue, x);

			if (expense_of(candidate) == expense)
				ordered = lappend(ordered, candidate);
		}
	}
	return ordered;
}

static void
try_queue(Search *search, RecsysLevel level, List *queue, int kept)
{
	ListCell   *cell;

	foreach(cell, queue)
	{
		if (!may_go_on(search, level, budget_of(search, level) - kept))
			break;
		try_at(search, lfirst(cell), level);
	}
}

/* Those of a queue that are counted, or that are not */
static List *
part_of(List *queue, bool counted)
{
	List	   *part = NIL;
	ListCell   *cell;

	foreach(cell, queue)
	{
		RecsysCandidate *candidate = lfirst(cell);

		if (candidate->counted == counted)
			part = lappend(part, candidate);
	}
	return part;
}

/*
 * The level's models, with a share of the budget, and steps with the rest of it.  Counted
 * models are quick: they come first, and go on from the best of them with a half of what is
 * for steps and of the time.  Learned ones may take all the time that there is.
 */
static void
run_level(Search *search, RecsysLevel level, List *queue, double share)
{
	int			budget = budget_of(search, level);
	int			kept = budget - (int) (budget * share);
	double		begin = level == RECSYS_LEVEL_SAMPLE ? 0.0 : time_shares[level - 1];
	double		halfway = (begin + time_shares[level]) / 2;
	List	   *first = quick_first(queue, (budget - kept) / costs[level]);
	List	   *learned = part_of(first, false);
	int			for_steps = queue != NIL ? kept : budget;

	try_queue(search, level, part_of(first, true), kept);
	take_steps(search, level, true, list_length(learned) * costs[level] + for_steps / 2, halfway);
	try_queue(search, level, learned, for_steps / 2);

	/* what failed has cost nothing */
	try_queue(search, level, queue, for_steps / 2);
	take_steps(search, level, false, 0, time_shares[level]);
	take_steps(search, level, true, 0, time_shares[level]);
}

/* Is one of the same group among them: of the family, or counted as well or not? */
static bool
is_represented(List *chosen, const RecsysCandidate *candidate, bool by_family)
{
	ListCell   *cell;

	foreach(cell, chosen)
	{
		const RecsysCandidate *other = lfirst(cell);

		if (by_family ? other->similarity == candidate->similarity :
			other->counted == candidate->counted)
			return true;
	}
	return false;
}

/*
 * Whose turn it is after a level: the best of each group first, then the better half of
 * all.  The last level begins with the best of the counted models, which is there soon.
 */
static List *
promote(const Search *search, RecsysLevel level)
{
	List	   *best = RecsysBestCandidates(search->candidates, level);
	bool		by_family = level == RECSYS_LEVEL_SAMPLE;
	List	   *chosen = NIL;
	ListCell   *cell;
	double		highest;

	if (best == NIL)
		return NIL;
	highest = ((RecsysCandidate *) linitial(best))->values[level];
	foreach(cell, best)
	{
		RecsysCandidate *candidate = lfirst(cell);

		if (!is_represented(chosen, candidate, by_family) &&
			!(by_family && candidate->values[level] < highest * HOPELESS))
			chosen = !by_family && candidate->counted ? lcons(candidate, chosen) : lappend(chosen, candidate);
	}
	return list_concat_unique_ptr(chosen, list_truncate(best, (list_length(best) + 1) / 2));
}

/*
 * Whose turn it is in full.  There may have been no time to learn the best of the sample from
 * all users: it is not lost for that.
 */
static List *
finalists(const Search *search)
{
	List	   *queue = promote(search, RECSYS_LEVEL_SOME_USERS);
	List	   *before = promote(search, RECSYS_LEVEL_SAMPLE);
	RecsysCandidate *best = before != NIL ? linitial(before) : NULL;

	if (queue == NIL)
		return before;
	if (best != NULL && !best->failed && isnan(best->values[RECSYS_LEVEL_SOME_USERS]))
		queue = list_insert_nth(queue, 1, best);
	return queue;
}

/* What was interrupted on a sample, and has not been tried in full since */
static void
tell_interrupted(Search *search)
{
	for (int x = 0; x < search->candidates->count; x++)
	{
		const RecsysCandidate *candidate = search->candidates->all[x];

		if (candidate->interrupted && !candidate->tried[RECSYS_LEVEL_FULL])
			RecsysTellInterrupted(search->trials, candidate);
	}
}

/* What similarity = auto chooses, in full */
static void
try_chosen(Search *search)
{
	const char *text;

	if (!RecsysTimeIsLeft(search->trials, time_shares[0]))
		return;
	text = RecsysChosenText(search->trials, "similarity = auto", time_shares[0]);
	if (text == NULL)
		return;
	search->chosen = RecsysCandidateOf(search->candidates, text);
	try_at(search, search->chosen, RECSYS_LEVEL_FULL);
	search->aside = search->spent;
	search->spent = 0;
}

static List *
starting_candidates(Search *search)
{
	List	   *queue = NIL;
	ListCell   *cell;

	foreach(cell, search->starting)
		queue = lappend(queue, RecsysCandidateOf(search->candidates, lfirst(cell)));
	return queue;
}

static void
run_search(Search *search)
{
	List	   *queue = starting_candidates(search);
	List	   *first = queue;

	try_chosen(search);
	if (search->thinning > 0)
	{
		try_queue(search, RECSYS_LEVEL_SAMPLE,
				  quick_first(queue, budget_of(search, RECSYS_LEVEL_SAMPLE)), 0);
		queue = promote(search, RECSYS_LEVEL_SAMPLE);
		if (search->chosen != NULL)
			queue = list_concat_unique_ptr(list_make1(search->chosen), queue);
		if (queue != NIL)
			run_level(search, RECSYS_LEVEL_SOME_USERS, queue, QUEUE_SHARE);
		queue = finalists(search);
		try_queue(search, RECSYS_LEVEL_FULL, queue != NIL ? queue : first, 0);
		run_level(search, RECSYS_LEVEL_FULL, NIL, 1.0);
		tell_interrupted(search);
		return;
	}
	run_level(search, RECSYS_LEVEL_FULL, queue,
			  search->trials->max_trials <= TRIALS_OF_FAMILIES ? 1.0 : QUEUE_SHARE);
}

/* Decides whether there are samples, and makes them. */
static void
make_samples(Search *search, RecsysSplit *split)
{
	RecsysTrials *trials = search->trials;
	uint32		nusers = RecsysSplitUsers(split);
	uint32		sampled = nusers / RECSYS_SAMPLE_ROWS;

	if (sampled < FEWEST_SAMPLED || trials->max_trials < FEWEST_TRIALS)
		return;

	/* what samples take is missing where models are trained */
	if (MemoryContextMemAllocated(split->context, true) > split->options.memory_limit / 2)
		return;
	search->thinning = 1 + sampled / MOST_SAMPLED;
	trials->splits[RECSYS_LEVEL_SAMPLE] = RecsysSplitSample(split, search->thinning, false);
	trials->splits[RECSYS_LEVEL_SOME_USERS] = RecsysSplitSample(split, search->thinning, true);

	/* users with held-out items may all be in other rows */
	if (RecsysSplitUsers(trials->splits[RECSYS_LEVEL_SOME_USERS]) < FEWEST_SAMPLED / 2)
		search->thinning = 0;
}

static RecsysCrossfit *
crossfit_of(const Search *search, const RecsysSplit *split)
{
	uint32		nusers = RecsysSplitUsers(split);
	bool	   *sampled;

	if (search->thinning == 0)
		return RecsysCrossfitCreate(nusers, NULL);
	sampled = recsys_alloc_huge(sizeof(bool) * Max((Size) nusers, 1));
	for (uint32 user = 0; user < nusers; user++)
		sampled[user] = RecsysSampleHas(split, user, search->thinning);
	return RecsysCrossfitCreate(nusers, sampled);
}

/* Is it what is tried anyway? */
static bool
is_plain_popular(const char *text)
{
	RecsysModelOptions initial;
	RecsysModelText model;

	RecsysModelOptionsInit(&initial);
	RecsysParseModelText(text, &model);
	return !RecsysModelHasPairs(&model.options) && model.max_history == initial.max_history;
}

static void
try_given(Search *search, List *texts)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		const char *text = lfirst(cell);

		if (is_plain_popular(text))
			continue;
		if (!may_go_on(search, RECSYS_LEVEL_FULL, budget_of(search, RECSYS_LEVEL_FULL)))
			break;
		text = RecsysChosenText(search->trials, text, search->trials->nfull == 0 ? INFINITY : 1.0);
		if (text != NULL)
			try_at(search, RecsysCandidateOf(search->candidates, text), RECSYS_LEVEL_FULL);
	}
}

/* Bestsellers, then the search, or exactly the texts. */
static void
try_all(Search *search, RecsysSplit *split, List *texts)
{
	RecsysTrials *trials = search->trials;

	if (texts == NIL)
		make_samples(search, split);
	trials->crossfit = crossfit_of(search, split);
	RecsysTryPopular(trials);
	if (texts == NIL)
		run_search(search);
	else
		try_given(search, texts);

	/* a table of reasons alone would look like an answer */
	if (trials->nfull == 0 && trials->failures != NIL)
		ReThrowError(((RecsysFailedModel *) linitial(trials->failures))->error);
}

static void
search_models(RecsysTrials *trials, RecsysSplit *split, List *texts)
{
	MemoryContext context = CurrentMemoryContext;
	RecsysDataShape shape = {split->weighted, split->timed, RecsysSplitSpan(split)};
	Search		search = {.trials = trials, .candidates = RecsysCandidatesCreate(&shape)};

	trials->context = context;
	trials->splits[RECSYS_LEVEL_FULL] = split;
	if (texts == NIL)
		search.starting = RecsysStartingModels(&shape);
	PG_TRY();
	{
		try_all(&search, split, texts);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RecsysTellTrials(trials);
		ReThrowError(error);
	}
	PG_END_TRY();
	RecsysSortTrials(trials);
}

void
RecsysSearchModels(RecsysTrials *trials, RecsysSplit *split)
{
	search_models(trials, split, NIL);
}

void
RecsysTryModels(RecsysTrials *trials, RecsysSplit *split, List *texts)
{
	search_models(trials, split, texts);
}
