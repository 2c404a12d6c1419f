/*
 * contentlearning.c
 *	  How content and interactions are to be weighed.
 *
 * Of a sample of users the latest item is held out, and all interactions with one item in ten, which
 * are treated as if they were new.  The similarity of the latest item to the others is what it would
 * be without this user: pairs count one user less, and the item itself has one less.
 *
 * Scores by interactions are so many times those by content, by least squares over these users and
 * all items with users that content speaks for.  From there on the scale and the number of users
 * that content is worth are chosen together, of some of each: those with which all that is held
 * out stands highest in one list, of those with which the items that are not new stand no lower
 * than by interactions alone.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/graph.h"
#include "am/graph/popular_page.h"
#include "am/graph/prior_page.h"
#include "am/read/visible.h"
#include "am/store/options.h"
#include "api/content/contentlearning.h"
#include "api/content/learningsample.h"
#include "api/scoring/serving.h"
#include "core/pairs/modeloptions.h"
#include "miscadmin.h"
#include "utils/memutils.h"

/* Numbers of users that are tried, and multiples of the scale */
static const double tried[] = {0, 1, 2, 5, 10, 20, 50, 100};
static const double multiples[] = {0.25, 0.5, 1, 2, 4};

#define TRIED ((int) lengthof(tried))
#define MULTIPLES ((int) lengthof(multiples))

/* Places of a list that count */
#define LIST 20

/* Fewer users than these tell nothing of how many users content is worth. */
#define LEAST_USERS 50

/* An item that one of the user's speaks for */
typedef struct Candidate
{
	uint32		item;			/* number in the index of interactions */
	double		s;
	double		t;
	double		known[TRIED];	/* t', with each number of users */
} Candidate;

/* A pair of an items index that waits until no page is locked */
typedef struct WaitingLike
{
	int			place;
	uint32		peer;
	float		like;
} WaitingLike;

typedef struct Learner
{
	RecsysRecommender *events;
	RecsysRecommender *items;
	RecsysGraphReader event_rows;
	RecsysGraphReader item_rows;
	RecsysModelOptions options;
	double		all_users;
	RecsysPrior *prior;			/* NULL: none */
	uint32	   *popular;		/* items, most users first */
	int			npopular;
	uint32		nevents;		/* numbers of each index */
	uint32		nitems;
	uint32	   *to_event;		/* by numbers of the other; UNASKED before, RECSYS_NONE if it has none */
	uint32	   *to_item;
	uint32	   *users;			/* of items, by numbers of the interactions */
	uint32	   *places;			/* in candidates, likewise; UNASKED: none */
	Candidate  *candidates;
	int			count;
	int			room;

	/* one user at a time */
	const RecsysHeldOut *user;
	WaitingLike *waiting;
	int			nwaiting;

	/* sums for the scale */
	double		product;		/* of s and t */
	double		square;			/* of t */
	int64		npairs;
} Learner;

#define UNASKED (RECSYS_NONE - 1)

static uint32 *
make_numbers(uint32 n)
{
	uint32	   *numbers = palloc_extended(sizeof(uint32) * (Size) Max(n, 1), MCXT_ALLOC_HUGE);

	for (uint32 x = 0; x < n; x++)
		numbers[x] = UNASKED;
	return numbers;
}

static void
begin(Learner *learner, RecsysRecommender *events, RecsysRecommender *items)
{
	const RecsysMetaData *meta = &RecsysGetCache(events->index)->meta;

	learner->events = events;
	learner->items = items;
	RecsysGraphReaderInit(&learner->event_rows, events->index);
	RecsysGraphReaderInit(&learner->item_rows, items->index);
	RecsysGraphOptions(meta, &learner->options);
	learner->all_users = meta->score_users;
	learner->popular = RecsysReadPopular(events->index, &learner->npopular);
	learner->nevents = RecsysItemCount(events->index);
	learner->nitems = RecsysItemCount(items->index);
	learner->to_event = make_numbers(learner->nitems);
	learner->to_item = make_numbers(learner->nevents);
	learner->users = make_numbers(learner->nevents);
	learner->places = make_numbers(learner->nevents);
	if (meta->prior != InvalidBlockNumber)
	{
		learner->prior = palloc(sizeof(RecsysPrior));
		(void) RecsysReadPrior(events->index, learner->prior);
	}
}

/* The number of an item in the other index.  No page is locked. */
static uint32
other_number(RecsysGraphReader *reader, RecsysRecommender *other, uint32 nother, uint32 *numbers,
			 uint32 count, uint32 item)
{
	RecsysKey	key;

	if (item >= count)
		return RECSYS_NONE;
	if (numbers[item] == UNASKED)
	{
		uint32		found;

		numbers[item] = RECSYS_NONE;
		if (RecsysGraphReadKey(reader, item, &key) && RecsysFindItem(other, &key, &found) &&
			found < nother)
			numbers[item] = found;
	}
	return numbers[item];
}

static uint32
users_of(Learner *learner, uint32 item)
{
	if (learner->users[item] == UNASKED)
	{
		learner->users[item] = RecsysGraphNeedRow(&learner->event_rows, item)->users;
		RecsysGraphReleaseRow(&learner->event_rows);
	}
	return learner->users[item];
}

static Candidate *
candidate_of(Learner *learner, uint32 item)
{
	if (learner->places[item] == UNASKED)
	{
		Assert(learner->count < learner->room);
		learner->places[item] = learner->count;
		memset(&learner->candidates[learner->count], 0, sizeof(Candidate));
		learner->candidates[learner->count++].item = item;
	}
	return &learner->candidates[learner->places[item]];
}

static void
forget_candidates(Learner *learner)
{
	for (int x = 0; x < learner->count; x++)
		learner->places[learner->candidates[x].item] = UNASKED;
	learner->count = 0;
}

/* Before pages are locked: what n rows can add */
static void
make_room(Learner *learner, int n)
{
	Size		room = (Size) learner->count + (Size) n * RECSYS_MAX_STORED + RECSYS_MAX_STORED;

	if (room <= (Size) learner->room)
		return;
	learner->candidates = learner->candidates == NULL ?
		palloc_extended(sizeof(Candidate) * room, MCXT_ALLOC_HUGE) :
		repalloc_huge(learner->candidates, sizeof(Candidate) * room);
	learner->room = (int) room;
}

/* What a pair's similarity is multiplied by when one of its users, who also has j, is not counted */
static double
without_one(const Learner *learner, double both, double n_i, double n_j)
{
	double		left = both - 1;
	RecsysPairTotals before = {n_i, n_j, learner->all_users, n_i, n_j, n_i};
	RecsysPairTotals after = {n_i, n_j - 1, learner->all_users, n_i, n_j - 1, n_i};
	double		was;
	double		is;

	if (left < Max(learner->options.min_support, 1))
		return 0;
	if (!RecsysModelIsCounted(&learner->options))
		return left / both;
	was = RecsysSimilarityScore(&learner->options, both, both, &before);
	is = RecsysSimilarityScore(&learner->options, left, left, &after);
	if (!(was > 0) || !isfinite(was) || !isfinite(is))
		return left / both;
	return Max(is / was, 0);
}

static void
take_event_row(void *arg, int position, RecsysGraphRow row)
{
	Learner    *learner = arg;
	const RecsysHeldOut *user = learner->user;

	learner->users[row->item] = row->users;
	for (int x = 0; x < row->nneighbors; x++)
	{
		double		similarity = RecsysRowScores(row)[x];

		if (row->peers[x] >= learner->nevents)
			continue;
		/* the number of its users has been read before */
		if (user->has_target && row->peers[x] == user->held[0])
			similarity *= without_one(learner, RecsysRowSupports(row)[x], row->users,
									  learner->users[user->held[0]]);
		candidate_of(learner, row->peers[x])->s += user->weights[position] * similarity;
	}
}

static void
take_item_row(void *arg, int position, RecsysGraphRow row)
{
	Learner    *learner = arg;

	for (int x = 0; x < row->nneighbors; x++)
		learner->waiting[learner->nwaiting++] = (WaitingLike)
	{
		position, row->peers[x], RecsysRowScores(row)[x]
	};
}

static void
add_like(Learner *learner, const WaitingLike *like)
{
	const RecsysHeldOut *user = learner->user;
	uint32		item = other_number(&learner->item_rows, learner->events, learner->nevents,
									learner->to_event, learner->nitems, like->peer);
	double		users;
	double		weighed = user->weights[like->place] * like->like;
	Candidate  *candidate;

	if (item == RECSYS_NONE)
		return;
	users = users_of(learner, user->items[like->place]);
	candidate = candidate_of(learner, item);
	candidate->t += weighed;
	for (int m = 0; m < TRIED; m++)
		if (users > 0)
			candidate->known[m] += weighed * users / (users + tried[m]);
}

static void
add_prior(Learner *learner)
{
	for (int x = 0; learner->prior != NULL && x < learner->prior->count; x++)
		if (learner->prior->items[x] < learner->nevents)
			candidate_of(learner, learner->prior->items[x])->s += learner->prior->scores[x];
}

/* All that speaks for anything, but for what the user has; new items have no scores by interactions. */
static void
score_user(Learner *learner, const RecsysHeldOut *user)
{
	uint32	   *numbers = palloc(sizeof(uint32) * Max(user->count, 1));

	CHECK_FOR_INTERRUPTS();
	learner->user = user;
	forget_candidates(learner);
	make_room(learner, 2 * user->count);
	(void) users_of(learner, user->held[0]);
	RecsysGraphVisitRows(&learner->event_rows, user->items, user->count, take_event_row, learner);
	add_prior(learner);

	for (int x = 0; x < user->count; x++)
		numbers[x] = other_number(&learner->event_rows, learner->items, learner->nitems,
								  learner->to_item, learner->nevents, user->items[x]);
	learner->waiting = palloc_extended(sizeof(WaitingLike) * ((Size) user->count * RECSYS_MAX_STORED + 1),
									   MCXT_ALLOC_HUGE);
	learner->nwaiting = 0;
	RecsysGraphVisitRows(&learner->item_rows, numbers, user->count, take_item_row, learner);
	for (int x = 0; x < learner->nwaiting; x++)
		add_like(learner, &learner->waiting[x]);
	pfree(learner->waiting);
	pfree(numbers);
	for (int x = 0; x < learner->count; x++)
		if (RecsysIsTreatedAsNew(learner->candidates[x].item))
			learner->candidates[x].s = 0;
	for (int x = 0; x < user->count; x++)
	{
		Candidate  *own = candidate_of(learner, user->items[x]);

		own->s = own->t = 0;
		memset(own->known, 0, sizeof(own->known));
	}
}

static void
sum_up(Learner *learner)
{
	for (int x = 0; x < learner->count; x++)
	{
		const Candidate *candidate = &learner->candidates[x];

		if (!(candidate->t > 0) || RecsysIsTreatedAsNew(candidate->item))
			continue;
		learner->npairs++;
		learner->product += candidate->s * candidate->t;
		learner->square += candidate->t * candidate->t;
	}
}

/* Scores with one number of users: by_scores + scale * by_content */
typedef struct Blend
{
	double	   *by_scores;
	double	   *by_content;
} Blend;

static void
blend_for(Learner *learner, int m, Blend *blend)
{
	const RecsysHeldOut *user = learner->user;

	for (int x = 0; x < learner->count; x++)
	{
		const Candidate *candidate = &learner->candidates[x];
		double		users = users_of(learner, candidate->item);
		double		part;

		if (RecsysIsTreatedAsNew(candidate->item))
			users = 0;
		else if (user->has_target && candidate->item == user->held[0])
			users -= 1;
		part = users > 0 ? users / (users + tried[m]) : 0;
		blend->by_scores[x] = part * candidate->s;
		blend->by_content[x] = candidate->t - part * candidate->known[m];
	}
}

static bool
user_has(const RecsysHeldOut *user, uint32 item)
{
	for (int x = 0; x < user->count; x++)
		if (user->items[x] == item)
			return true;
	return false;
}

/* What the place counts of an item that nothing speaks for: popular ones fill the list up. */
static double
gain_as_popular(const Learner *learner, const Blend *blend, double scale, uint32 item)
{
	int			rank = 1;

	for (int x = 0; x < learner->count && rank <= LIST; x++)
		rank += blend->by_scores[x] + scale * blend->by_content[x] > 0;
	for (int x = 0; x < learner->npopular && rank <= LIST; x++)
	{
		uint32		other = learner->popular[x];
		uint32		place = other < learner->nevents ? learner->places[other] : UNASKED;

		if (RecsysIsTreatedAsNew(other) || user_has(learner->user, other) ||
			(place != UNASKED &&
			 blend->by_scores[place] + scale * blend->by_content[place] > 0))
			continue;
		if (other == item)
			return 1 / log2(1 + rank);
		rank++;
	}
	return 0;
}

/* What the place of a held-out item counts; new items are left out where content says nothing. */
static double
gain_of(const Learner *learner, const Blend *blend, double scale, uint32 item)
{
	uint32		place = learner->places[item];
	double		score;
	double		rank = 1;

	if (place == UNASKED)
		return gain_as_popular(learner, blend, scale, item);
	score = blend->by_scores[place] + scale * blend->by_content[place];
	if (!(score > 0))
		return gain_as_popular(learner, blend, scale, item);
	for (int x = 0; x < learner->count && rank <= LIST; x++)
	{
		double		other = blend->by_scores[x] + scale * blend->by_content[x];

		if ((uint32) x == place)
			continue;
		rank += other > score ? 1 : other == score ? 0.5 : 0;
	}
	return rank <= LIST ? 1 / log2(1 + rank) : 0;
}

/* The most that so many held-out items can count */
static double
ideal_gain(int n)
{
	double		sum = 0;

	for (int rank = 1; rank <= Min(n, LIST); rank++)
		sum += 1 / log2(1 + rank);
	return sum;
}

/* How one choice has done, over all users */
typedef struct Outcome
{
	double		all;			/* NDCG of all that is held out */
	double		target;			/* of the latest items alone, */
	double		differences;	/* less that by interactions alone: sum, and sum of squares */
	double		squares;
} Outcome;

static void
try_user(Learner *learner, double scale, Blend *blend, Outcome outcomes[TRIED][MULTIPLES],
		 double *without)
{
	const RecsysHeldOut *user = learner->user;
	double		ideal = ideal_gain(user->nheld);
	double		before = 0;

	for (int m = 0; m < TRIED; m++)
	{
		blend_for(learner, m, blend);
		if (m == 0 && user->has_target)
			*without += before = gain_of(learner, blend, 0, user->held[0]);
		for (int c = 0; c < MULTIPLES; c++)
		{
			Outcome    *outcome = &outcomes[m][c];
			double		target = 0;
			double		sum = 0;

			for (int x = 0; x < user->nheld; x++)
			{
				double		gain = gain_of(learner, blend, scale * multiples[c], user->held[x]);

				sum += gain;
				if (x == 0 && user->has_target)
					target = gain;
			}
			outcome->all += sum / ideal;
			outcome->target += target;
			outcome->differences += target - before;
			outcome->squares += (target - before) * (target - before);
		}
	}
}

/* The probability that the differences are no better than 0, by a paired test */
static double
p_value(const Outcome *outcome, int64 n)
{
	double		mean = outcome->differences / n;
	double		variance = (outcome->squares - n * mean * mean) / Max(n - 1, 1);

	if (!(variance > 0))
		return mean > 0 ? 0 : 1;
	return 0.5 * erfc(mean / sqrt(variance / n) / M_SQRT2);
}

/*
 * Best of all that keeps the old items where they are, or higher; if there is none, that which
 * harms them least.
 */
static bool
is_better(const Outcome *a, const Outcome *b)
{
	bool		keeps_a = a->differences >= 0;
	bool		keeps_b = b->differences >= 0;

	if (keeps_a != keeps_b)
		return keeps_a;
	return keeps_a ? a->all > b->all : a->target > b->target;
}

static void
choose(Learner *learner, const RecsysLearningSample *sample, RecsysContentWeight *weight)
{
	Outcome		outcomes[TRIED][MULTIPLES] = {{{0}}};
	double		without = 0;
	double		scale = weight->scale;
	int64		n = sample->count;
	Outcome    *best = NULL;

	for (int x = 0; x < sample->count; x++)
	{
		Blend		blend;

		score_user(learner, &sample->users[x]);
		blend.by_scores = palloc_extended(sizeof(double) * (Size) Max(learner->count, 1), MCXT_ALLOC_HUGE);
		blend.by_content = palloc_extended(sizeof(double) * (Size) Max(learner->count, 1), MCXT_ALLOC_HUGE);
		try_user(learner, scale, &blend, outcomes, &without);
		pfree(blend.by_scores);
		pfree(blend.by_content);
	}
	for (int m = 0; m < (n < LEAST_USERS ? 1 : TRIED); m++)
		for (int c = 0; c < MULTIPLES; c++)
		{
			Outcome    *outcome = &outcomes[m][c];

			if (best != NULL && !is_better(outcome, best))
				continue;
			best = outcome;
			weight->users = tried[m];
			weight->scale = scale * multiples[c];
		}
	weight->held_out = n;
	weight->ndcg_without = without / n;
	weight->ndcg_with = best->target / n;
	weight->all_ndcg = best->all / n;
	weight->p_value = p_value(best, n);
}

bool
RecsysLearnContentWeight(RecsysRecommender *events, RecsysRecommender *items, int users,
						 RecsysContentWeight *weight)
{
	const RecsysMetaData *meta = &RecsysGetCache(events->index)->meta;
	Learner		learner = {0};
	RecsysLearningSample sample;

	memset(weight, 0, sizeof(*weight));
	weight->ndcg_without = weight->ndcg_with = weight->all_ndcg = weight->p_value = NAN;

	/* scores by factors are none of the graph's */
	if (meta->factor_rank > 0)
		return false;
	RecsysReadLearningSample(events, users, &sample);
	if (sample.count == 0)
		return false;
	begin(&learner, events, items);
	for (int x = 0; x < sample.count; x++)
	{
		score_user(&learner, &sample.users[x]);
		sum_up(&learner);
	}
	weight->pairs = learner.npairs;
	weight->scale = learner.square > 0 ? learner.product / learner.square : 0;
	if (weight->scale > 0 && isfinite(weight->scale))
		choose(&learner, &sample, weight);
	else
		weight->scale = 0;
	RecsysGraphReaderDone(&learner.event_rows);
	RecsysGraphReaderDone(&learner.item_rows);
	return weight->scale > 0;
}
