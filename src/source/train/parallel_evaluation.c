/*
 * parallel_evaluation.c
 *	  Lists and figures of all users, by parallel workers where that pays.
 *
 * The evaluation is copied to a shared segment, which also has room for the
 * outcome.  Leader and workers claim small ranges of users from a shared counter
 * and write what they compute to its place, so that nothing needs to be sent.
 * Without room for a segment, or workers, the leader does it all.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "port/atomics.h"
#include "source/team/segment.h"
#include "source/team/workers.h"
#include "source/train/parallel_evaluation.h"
#include "utils/memutils.h"

/* Users that are claimed at a time */
#define RANGE_USERS 64

/* Fewer users than this for each participant are not worth a worker's start. */
#define MIN_USERS 500

#define QUEUE_SIZE ((Size) 1024)	/* nothing is sent */

typedef struct SharedEvaluation
{
	RecsysEvaluation evaluation;	/* its pointers are of the leader; NULL says what there is */
	dsm_handle	segment;
	pg_atomic_uint32 next;		/* first user that nobody has claimed */
} SharedEvaluation;

PGDLLEXPORT void recsys_evaluation_worker_main(dsm_segment *segment, shm_toc *toc);

/* Hands out aligned pieces of a segment, or adds up their sizes (place NULL); copies from source. */
typedef struct Area
{
	char	   *place;
	Size		used;
	bool		copy;
} Area;

static void *
carve(Area *area, const void *source, Size size)
{
	void	   *piece = area->place != NULL ? area->place + area->used : NULL;

	if (area->copy && source != NULL)
		memcpy(piece, source, size);
	area->used += CACHELINEALIGN(size);
	return piece;
}

static void
carve_rows(Area *area, const RecsysItemRows *source, Size nrows, RecsysItemRows *rows)
{
	uint64		entries;

	rows->offsets = carve(area, source->offsets, sizeof(uint64) * (nrows + 1));

	/* the offsets are there before anything behind them is looked for */
	entries = (area->place != NULL ? rows : source)->offsets[nrows];
	rows->items = carve(area, source->items, sizeof(uint32) * entries);
}

/*
 * Lays out a segment for the evaluation source and its outcome; target's pointers
 * are into it.  source's pointers are followed only to copy and to measure.
 */
static Size
lay_out(const RecsysEvaluation *source, char *place, bool copy, RecsysEvaluation *target,
		RecsysOutcome *outcome)
{
	Area		area = {place, 0, copy};
	Size		nitems = source->nitems;
	Size		nusers = source->nusers;

	*target = *source;
	target->item_users = carve(&area, source->item_users, sizeof(uint32) * nitems);
	target->popular = carve(&area, source->popular, sizeof(uint32) * source->ncatalogue);
	carve_rows(&area, &source->graph, nitems, &target->graph);
	target->scores = carve(&area, source->scores,
						   sizeof(float) * (place != NULL ? target : source)->graph.offsets[nitems]);
	if (source->nprior > 0)
	{
		target->prior_items = carve(&area, source->prior_items, sizeof(uint32) * source->nprior);
		target->prior_scores = carve(&area, source->prior_scores, sizeof(float) * source->nprior);
	}
	if (source->offered != NULL)
		target->offered = carve(&area, source->offered, sizeof(uint8) * nitems);
	if (source->factors.items != NULL)
	{
		Size		rank = source->factors.shape.rank;

		target->factors.items = carve(&area, source->factors.items,
									  sizeof(float) * rank * RecsysEvaluationFactors(source));
		target->factors.gram = carve(&area, source->factors.gram, sizeof(float) * rank * rank);
	}
	carve_rows(&area, &source->histories, nusers, &target->histories);
	if (source->weights != NULL)
		target->weights = carve(&area, source->weights,
								sizeof(double) * (place != NULL ? target : source)->histories.offsets[nusers]);
	if (source->seen.offsets != NULL)
		carve_rows(&area, &source->seen, nusers, &target->seen);
	carve_rows(&area, &source->test, nusers, &target->test);
	if (source->categories != NULL)
		target->categories = carve(&area, source->categories, sizeof(uint32) * nitems);
	if (source->new_items != NULL)
		target->new_items = carve(&area, source->new_items, sizeof(uint8) * nitems);
	outcome->figures = carve(&area, NULL, sizeof(double) * nusers * RecsysEvaluationColumns(source));
	outcome->lists = carve(&area, NULL, sizeof(uint32) * nusers * RecsysEvaluationLength(source));
	return area.used;
}

Size
RecsysEvaluationShared(const RecsysEvaluation *evaluation)
{
	RecsysEvaluation copy;
	RecsysOutcome outcome;

	return lay_out(evaluation, NULL, false, &copy, &outcome);
}

/* Takes part until all users are claimed. */
static void
evaluate(SharedEvaluation *shared, const RecsysEvaluation *evaluation, RecsysOutcome *outcome)
{
	RecsysEvaluator *evaluator = RecsysEvaluatorCreate(evaluation);

	for (;;)
	{
		uint32		first = pg_atomic_fetch_add_u32(&shared->next, RANGE_USERS);

		if (first >= evaluation->nusers)
			break;
		RecsysEvaluatorUsers(evaluator, first, Min(first + RANGE_USERS, evaluation->nusers), outcome);
	}
	RecsysEvaluatorFree(evaluator);
}

void
recsys_evaluation_worker_main(dsm_segment *segment, shm_toc *toc)
{
	RecsysWorker worker = {0};
	SharedEvaluation *shared = RecsysWorkerBegin(&worker, segment, toc);
	dsm_segment *data = RecsysSegmentAttach(shared->segment);
	RecsysEvaluation evaluation;
	RecsysOutcome outcome;

	lay_out(&shared->evaluation, dsm_segment_address(data), false, &evaluation, &outcome);
	evaluate(shared, &evaluation, &outcome);
	dsm_detach(data);
	RecsysWorkerEnd(&worker);
}

static void
allocate_outcome(const RecsysEvaluation *evaluation, RecsysOutcome *outcome)
{
	Size		nusers = Max(evaluation->nusers, 1);

	outcome->figures = MemoryContextAllocHuge(CurrentMemoryContext,
											  sizeof(double) * nusers * Max(RecsysEvaluationColumns(evaluation), 1));
	outcome->lists = MemoryContextAllocHuge(CurrentMemoryContext,
											sizeof(uint32) * nusers * RecsysEvaluationLength(evaluation));
}

/* False when there is no room for the segment. */
static bool
run_parallel(const RecsysEvaluation *evaluation, int nworkers, RecsysOutcome *result)
{
	RecsysEvaluation copy;
	RecsysOutcome outcome;
	dsm_segment *data = RecsysSegmentCreate(RecsysEvaluationShared(evaluation));
	RecsysWorkers *workers;
	SharedEvaluation *shared;
	int			nlaunched;

	if (data == NULL)
		return false;
	lay_out(evaluation, dsm_segment_address(data), true, &copy, &outcome);
	workers = RecsysWorkersCreate("recsys_evaluation_worker_main", nworkers, QUEUE_SIZE,
								  sizeof(SharedEvaluation), (void **) &shared);
	shared->evaluation = *evaluation;
	shared->segment = dsm_segment_handle(data);
	pg_atomic_init_u32(&shared->next, 0);
	nlaunched = RecsysWorkersLaunch(workers);

	evaluate(shared, &copy, &outcome);

	/* workers detach from their queues when they are done */
	for (;;)
	{
		const void *message;
		Size		length;

		for (int worker = 0; worker < nlaunched; worker++)
			(void) RecsysWorkersReceive(workers, worker, &message, &length);
		if (RecsysWorkersDone(workers))
			break;
		RecsysWorkersWait(workers);
	}
	RecsysWorkersFinish(workers);

	memcpy(result->figures, outcome.figures,
		   sizeof(double) * evaluation->nusers * RecsysEvaluationColumns(evaluation));
	memcpy(result->lists, outcome.lists,
		   sizeof(uint32) * (Size) evaluation->nusers * RecsysEvaluationLength(evaluation));
	dsm_detach(data);
	ereport(DEBUG1,
			(errmsg_internal("recsys: %u users evaluated with %d of %d planned workers",
							 evaluation->nusers, nlaunched, nworkers)));
	return true;
}

void
RecsysEvaluateUsers(const RecsysEvaluation *evaluation, int nworkers, RecsysOutcome *outcome)
{
	RecsysEvaluator *evaluator;

	allocate_outcome(evaluation, outcome);
	nworkers = (int) Min((uint32) nworkers, evaluation->nusers / MIN_USERS);
	if (nworkers > 0 && run_parallel(evaluation, nworkers, outcome))
		return;
	evaluator = RecsysEvaluatorCreate(evaluation);
	RecsysEvaluatorUsers(evaluator, 0, evaluation->nusers, outcome);
	RecsysEvaluatorFree(evaluator);
}
