/*
 * densemodel.c
 *	  Models that a team trains by linear algebra over the whole matrix: what they share.
 *
 * Sums over users come out a little different when users come in another order, and that
 * depends on who has scanned the table when.  So users are brought into an order that
 * follows from their histories alone; those that have the same are interchangeable.
 */
#include "core/dense/densemodel.h"

/* A user's place in the order */
typedef struct Place
{
	uint64		hash;			/* of the history */
	uint32		user;
} Place;

/* Users between two checks for interrupts */
#define USERS_PER_CHECK 4096

static const RecsysMatrix *sorted_matrix;

static inline uint64
mix(uint64 hash, uint32 value)
{
	hash = (hash ^ value) * UINT64CONST(0x9E3779B97F4A7C15);
	return hash ^ (hash >> 32);
}

static uint64
hash_history(const RecsysMatrix *users, uint32 user)
{
	uint64		hash = 0;

	for (uint64 x = users->offsets[user]; x < users->offsets[user + 1]; x++)
	{
		hash = mix(hash, users->columns[x]);
		if (users->weights != NULL)
		{
			uint32		bits;

			memcpy(&bits, &users->weights[x], sizeof(bits));
			hash = mix(hash, bits);
		}
	}
	return hash;
}

static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;
	const RecsysMatrix *users = sorted_matrix;
	Size		size = users->offsets[x->user + 1] - users->offsets[x->user];
	Size		other_size = users->offsets[y->user + 1] - users->offsets[y->user];
	int			order;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (size != other_size)
		return size < other_size ? -1 : 1;
	order = memcmp(users->columns + users->offsets[x->user], users->columns + users->offsets[y->user],
				   sizeof(uint32) * size);
	if (order == 0 && users->weights != NULL)
		order = memcmp(users->weights + users->offsets[x->user],
					   users->weights + users->offsets[y->user], sizeof(float) * size);
	return order;
}

void
RecsysDenseCopyUsers(const RecsysMatrix *users, RecsysMatrix *result)
{
	Place	   *places = recsys_alloc_huge(sizeof(Place) * Max((Size) users->nrows, 1));

	for (uint32 user = 0; user < users->nrows; user++)
	{
		if (user % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		places[user].hash = hash_history(users, user);
		places[user].user = user;
	}
	sorted_matrix = users;
	qsort(places, users->nrows, sizeof(Place), compare_places);

	result->offsets[0] = 0;
	for (uint32 row = 0; row < users->nrows; row++)
	{
		uint64		from = users->offsets[places[row].user];
		Size		size = users->offsets[places[row].user + 1] - from;
		uint64		to = result->offsets[row];

		if (row % USERS_PER_CHECK == 0)
			CHECK_FOR_INTERRUPTS();
		memcpy(result->columns + to, users->columns + from, sizeof(uint32) * size);
		if (result->weights != NULL)
		{
			for (Size x = 0; x < size; x++)
				result->weights[to + x] = users->weights != NULL ? users->weights[from + x] : 1.0f;
		}
		result->offsets[row + 1] = to + size;
	}
	pfree(places);
}

void
RecsysDenseCopyTotals(const RecsysItemTotals *totals, RecsysItemTotals *result)
{
	memcpy(result->users, totals->users, sizeof(uint32) * totals->nitems);
	memcpy(result->work, totals->work, sizeof(uint64) * totals->nitems);
	if (result->norm2 != NULL)
	{
		memcpy(result->norm2, totals->norm2, sizeof(double) * totals->nitems);
		memcpy(result->mass, totals->mass, sizeof(double) * totals->nitems);
	}
}

Size
RecsysDensePrepareMemory(const RecsysDenseTask *task)
{
	/* one after the other: what users are sorted with, what they are transposed with */
	return Max(sizeof(Place) * Max((Size) task->nrows, 1),
			   sizeof(uint64) * ((Size) task->nitems + 1));
}
