/*
 * members.c
 *	  Teams of processes, to run the dense models by.
 *
 * A member is a forked process, as a parallel worker is.  Rows are written to
 * shared memory, so that the leader can report them when all are there.
 */
#include "members.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

typedef struct Shared
{
	pthread_barrier_t barrier;
	uint64		next;
} Shared;

typedef struct Row
{
	int			count;
	int			reports;
	RecsysNeighbor neighbors[FLEXIBLE_ARRAY_MEMBER];
} Row;

typedef struct Training
{
	const RecsysDenseModel *model;
	const RecsysDenseTask *task;
	void	   *block;
	char	   *rows;
	Size		row_size;
} Training;

void *
members_allocate(Size size)
{
	void	   *place = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (place == MAP_FAILED)
		standalone_error(__FILE__, __LINE__, "no memory to share");
	return place;
}

void
members_free(void *place, Size size)
{
	munmap(place, size + 1);
}

static void
wait_for_all(void *arg)
{
	pthread_barrier_wait(&((Shared *) arg)->barrier);
}

static uint64
draw(void *arg)
{
	return __atomic_fetch_add(&((Shared *) arg)->next, 1, __ATOMIC_SEQ_CST);
}

void
members_run(int members, MembersWork work, void *arg)
{
	Shared	   *shared = members_allocate(sizeof(Shared));
	RecsysTeam	team = {.members = members, .wait = wait_for_all, .draw = draw, .arg = shared};
	pthread_barrierattr_t attributes;
	bool		failed = false;

	pthread_barrierattr_init(&attributes);
	pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&shared->barrier, &attributes, members);
	fflush(stdout);
	for (int member = 1; member < members; member++)
	{
		if (fork() == 0)
		{
			team.member = member;
			work(&team, arg);
			_exit(0);
		}
	}
	work(&team, arg);
	for (int member = 1; member < members; member++)
	{
		int			status;

		failed |= wait(&status) < 0 || status != 0;
	}
	if (failed)
		ok(false, "all %d members end well", members);
	members_free(shared, sizeof(Shared));
}

static void
note_row(void *arg, uint32 item, const RecsysNeighbor *neighbors, int count)
{
	Training   *training = arg;
	Row		   *row = (Row *) (training->rows + item * training->row_size);

	row->count = count;
	row->reports++;
	memcpy(row->neighbors, neighbors, sizeof(RecsysNeighbor) * count);
}

static void
train(RecsysTeam *team, void *arg)
{
	Training   *training = arg;

	training->model->run(team, training->task, training->block, note_row, training);
}

RecsysDenseTask
members_task(const RecsysMatrix *users, const RecsysItemTotals *totals,
			 const RecsysModelOptions *options)
{
	RecsysDenseTask task = {.options = *options, .nrows = users->nrows, .nitems = totals->nitems,
		.nusers = totals->nusers, .nentries = users->offsets[users->nrows],
		.weighted = users->weights != NULL};

	return task;
}

Size
members_train(const RecsysDenseModel *model, RecsysDenseTask task, int members,
			  const RecsysMatrix *users, const RecsysItemTotals *totals,
			  RecsysRowReporter report, void *arg, MembersKeep keep, void *keep_arg)
{
	Size		peak;
	Size		size;
	Training	training = {.model = model, .task = &task};
	Size		before = standalone_memory_now;

	size = model->shared(&task);
	training.row_size = sizeof(Row) + sizeof(RecsysNeighbor) * task.options.neighbors;
	training.rows = members_allocate(training.row_size * task.nitems);
	training.block = members_allocate(size);
	memset(training.block, 0xAA, size);
	standalone_memory_peak = before;
	model->prepare(&task, training.block, users, totals);
	members_run(members, train, &training);
	peak = standalone_memory_peak - before;
	if (keep != NULL)
		keep(keep_arg, &task, training.block);
	for (uint32 item = 0; item < task.nitems; item++)
	{
		Row		   *row = (Row *) (training.rows + item * training.row_size);

		if (row->reports != 1)
			ok(false, "row %u is reported once (%d)", item, row->reports);
		report(arg, item, row->neighbors, row->count);
	}
	members_free(training.rows, training.row_size * task.nitems);
	members_free(training.block, size);
	return peak;
}
