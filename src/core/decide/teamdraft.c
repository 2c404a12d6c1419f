/*
 * teamdraft.c
 *	  Two lists in one, by team draft: Radlinski, Kurup, Joachims: How does clickthrough data
 *	  reflect retrieval quality?, CIKM 2008, algorithm 2.
 *
 * A coin decides, round by round, which team chooses first.  A round is fair because both teams get
 * an item, and each of them the better place by even chances; so once that cannot be, because one
 * list comes to its end, what is left fills the places and is nobody's.  The last place of an odd
 * number goes to either by the coin, which is fair as well.
 */
#include "core/decide/teamdraft.h"

#include "core/base/random.h"

typedef struct Named
{
	const char *name;
	int			list;
	int			place;
} Named;

static int
compare_named(const void *a, const void *b)
{
	return strcmp(((const Named *) a)->name, ((const Named *) b)->name);
}

/* Numbers for the items of both lists, the same one for the same name. */
static void
number_items(const char *const *lists[2], const int counts[2], int *numbers[2])
{
	int			n = counts[0] + counts[1];
	Named	   *all = palloc(sizeof(Named) * Max(n, 1));
	int			number = 0;

	for (int list = 0, x = 0; list < 2; list++)
	{
		numbers[list] = palloc(sizeof(int) * Max(counts[list], 1));
		for (int i = 0; i < counts[list]; i++, x++)
		{
			all[x].name = lists[list][i];
			all[x].list = list;
			all[x].place = i;
		}
	}
	qsort(all, n, sizeof(Named), compare_named);
	for (int x = 0; x < n; x++)
	{
		if (x > 0 && strcmp(all[x].name, all[x - 1].name) != 0)
			number++;
		numbers[all[x].list][all[x].place] = number;
	}
	pfree(all);
}

/* The first place from there on whose item has not been taken, or behind the last one */
static int
next_place(const int *numbers, int count, const bool *taken, int place)
{
	while (place < count && taken[numbers[place]])
		place++;
	return place;
}

/* Does each team get an item, whoever chooses first?  next: what each would choose as the first */
static bool
round_is_fair(int *const numbers[2], const int counts[2], const bool *taken, const int next[2],
			  bool is_cut)
{
	if (next[0] == counts[0] || next[1] == counts[1])
		return false;
	if (is_cut || numbers[0][next[0]] != numbers[1][next[1]])
		return true;

	/* the same item: who gets it not needs another one */
	for (int list = 0; list < 2; list++)
	{
		int			place = next[list] + 1;

		while (place < counts[list] &&
			   (taken[numbers[list][place]] || numbers[list][place] == numbers[list][next[list]]))
			place++;
		if (place == counts[list])
			return false;
	}
	return true;
}

int
RecsysDraft(const char *const *lists[2], const int counts[2], uint64 seed, int k, RecsysDrafted *draft)
{
	int		   *numbers[2];
	int			next[2] = {0, 0};
	bool	   *taken = palloc0(sizeof(bool) * Max(counts[0] + counts[1], 1));
	RecsysRandom random;
	int			n = 0;

	number_items(lists, counts, numbers);
	RecsysRandomStart(&random, seed, 0);
	for (;;)
	{
		int			first = (int) (RecsysRandomNext(&random) >> 63);
		bool		is_fair;

		for (int list = 0; list < 2; list++)
			next[list] = next_place(numbers[list], counts[list], taken, next[list]);
		if (n >= k || (next[0] == counts[0] && next[1] == counts[1]))
			break;
		is_fair = round_is_fair(numbers, counts, taken, next, n + 1 == k);
		for (int turn = 0; turn < 2 && n < k; turn++)
		{
			int			list = turn == 0 ? first : 1 - first;
			int			place = next_place(numbers[list], counts[list], taken, next[list]);

			if (place == counts[list])
				continue;
			taken[numbers[list][place]] = true;
			draft[n].list = list;
			draft[n].place = place;
			draft[n].team = is_fair ? list : RECSYS_NO_TEAM;
			n++;
		}
	}
	pfree(taken);
	pfree(numbers[0]);
	pfree(numbers[1]);
	return n;
}
