/*
 * totals.c
 *	  Item totals of a matrix.
 *
 * In the server they are collected while histories are folded (source/train/historystore.c); here
 * the matrix is there first.
 */
#include "totals.h"

#include "core/base/product.h"

RecsysItemTotals *
totals_compute(const RecsysMatrix *users)
{
	RecsysItemTotals *totals = palloc0(sizeof(RecsysItemTotals));
	Size		nitems = Max(users->ncolumns, 1);

	totals->nitems = users->ncolumns;
	totals->users = recsys_alloc_huge_zero(nitems * sizeof(uint32));
	totals->work = recsys_alloc_huge_zero(nitems * sizeof(uint64));
	if (users->weights != NULL)
	{
		totals->norm2 = recsys_alloc_huge_zero(nitems * sizeof(double));
		totals->mass = recsys_alloc_huge_zero(nitems * sizeof(double));
	}

	for (uint32 user = 0; user < users->nrows; user++)
	{
		uint64		first = users->offsets[user];
		uint64		last = users->offsets[user + 1];

		if (user % 4096 == 0)
			CHECK_FOR_INTERRUPTS();
		if (last > first)
			totals->nusers++;
		for (uint64 x = first; x < last; x++)
		{
			uint32		item = users->columns[x];

			totals->users[item]++;
			totals->work[item] += last - first;
			if (users->weights != NULL)
			{
				totals->norm2[item] += RecsysProduct(users->weights[x], users->weights[x]);
				totals->mass[item] += users->weights[x];
			}
		}
	}
	return totals;
}

void
totals_free(RecsysItemTotals *totals)
{
	pfree(totals->users);
	pfree(totals->work);
	if (totals->norm2 != NULL)
	{
		pfree(totals->norm2);
		pfree(totals->mass);
	}
	pfree(totals);
}
