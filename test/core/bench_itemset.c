/*
 * bench_itemset.c
 *	  Item set mining, timed on a file of baskets.
 *
 * Usage: bench_itemset FILE SUPPORT [all|closed|maximal [ROUNDS]]
 *        bench_itemset generate BASKETS ITEMS MEAN SUPPORT [all|closed|maximal [ROUNDS]]
 *
 * A line of the file is a basket of item numbers, as in the FIMI repository.  SUPPORT is
 * a share of the baskets in percent.  Generated baskets have Zipf's popularity of items
 * and log-normal sizes.  Reading is not timed, preparing and mining are (processor time), each as the
 * best of the rounds.
 */
#include <time.h>

#include "core/itemset/itemset.h"
#include "generate.h"
#include "matrix_baskets.h"

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec + now.tv_nsec * 1e-9;
}

static RecsysMatrix *
read_baskets(const char *path)
{
	RecsysMatrix *matrix = palloc0(sizeof(RecsysMatrix));
	FILE	   *file = fopen(path, "r");
	Size		rows_room = 1024;
	Size		room = 1024;
	uint64		n = 0;
	bool		in_number = false;
	uint32		number = 0;
	int			c;

	if (file == NULL)
		elog(ERROR, "could not open \"%s\"", path);
	matrix->offsets = palloc(rows_room * sizeof(uint64));
	matrix->columns = palloc(room * sizeof(uint32));
	matrix->offsets[0] = 0;
	while ((c = getc_unlocked(file)) != EOF)
	{
		if (c >= '0' && c <= '9')
		{
			number = number * 10 + (c - '0');
			in_number = true;
			continue;
		}
		if (in_number)
		{
			if (n == room)
				matrix->columns = repalloc(matrix->columns, (room *= 2) * sizeof(uint32));
			matrix->columns[n++] = number;
			matrix->ncolumns = Max(matrix->ncolumns, number + 1);
		}
		in_number = false;
		number = 0;
		if (c == '\n')
		{
			if (matrix->nrows + 2 > rows_room)
				matrix->offsets = repalloc(matrix->offsets, (rows_room *= 2) * sizeof(uint64));
			matrix->offsets[++matrix->nrows] = n;
		}
	}
	fclose(file);
	return matrix;
}

static bool
count_set(void *arg, const RecsysItemset *set)
{
	uint64	   *counts = arg;

	counts[Min(set->length, 31)]++;
	counts[0]++;
	return true;
}

int
main(int argc, char **argv)
{
	RecsysItemsetOptions options = {0};
	RecsysMatrix *matrix;
	MatrixBaskets source;
	bool		generated = argc > 5 && strcmp(argv[1], "generate") == 0;
	char	  **rest = argv + (generated ? 5 : 2);
	int			nrest = argc - (int) (rest - argv);
	int			rounds = nrest > 2 ? atoi(rest[2]) : 5;
	double		best_prepare = 1e9;
	double		best_mine = 1e9;
	Size		size = 0;
	uint64		counts[32];

	if (nrest < 1)
	{
		fprintf(stderr, "usage: bench_itemset FILE SUPPORT [all|closed|maximal [ROUNDS]]\n"
				"       bench_itemset generate BASKETS ITEMS MEAN SUPPORT [all|closed|maximal [ROUNDS]]\n");
		return 2;
	}
	if (generated)
	{
		Random		random;

		random_seed(&random, 1);
		matrix = generate_matrix(&random, (uint32) atol(argv[2]), (uint32) atol(argv[3]),
								 (uint64) (atof(argv[4]) * atol(argv[2])), 2500, false,
								 WEIGHTS_NONE);
	}
	else
		matrix = read_baskets(argv[1]);
	options.kind = nrest > 1 && argv[0] != NULL && strcmp(rest[1], "closed") == 0 ?
		RECSYS_ITEMSETS_CLOSED : nrest > 1 && strcmp(rest[1], "maximal") == 0 ?
		RECSYS_ITEMSETS_MAXIMAL : RECSYS_ITEMSETS_ALL;
	options.min_support = (uint32) ceil(atof(rest[0]) / 100 * matrix->nrows - 1e-9);
	options.min_length = 1;
	options.memory_limit = (Size) 4 << 30;
	matrix_baskets_init(&source, matrix, NULL);
	for (int round = 0; round < rounds; round++)
	{
		double		start = seconds();
		RecsysItemsets *sets = RecsysItemsetsPrepare(&source.baskets, &options, NULL, NULL);
		RecsysItemsetMiner *miner;
		double		prepared = seconds();

		memset(counts, 0, sizeof(counts));
		miner = RecsysItemsetMinerCreate(sets, options.memory_limit, count_set, counts);
		for (uint32 task = 0; task < sets->ntasks; task++)
		{
			if (RecsysItemsetMine(miner, task) != RECSYS_ITEMSETS_DONE)
				elog(ERROR, "mining has not finished");
		}
		RecsysItemsetMinerFree(miner);
		best_mine = Min(best_mine, seconds() - prepared);
		best_prepare = Min(best_prepare, prepared - start);
		size = sets->size;
		pfree(sets);
	}
	printf("%s %s %s: %u baskets, %llu entries, min_support %u: prepare %.2f ms, mine %.2f ms, "
		   "%llu sets (", generated ? "generated" : argv[1], rest[0],
		   nrest > 1 ? rest[1] : "all", matrix->nrows,
		   (unsigned long long) matrix->offsets[matrix->nrows], options.min_support,
		   best_prepare * 1e3, best_mine * 1e3, (unsigned long long) counts[0]);
	for (int length = 1; length < 32; length++)
	{
		if (counts[length] > 0)
			printf("%s%llu", length > 1 ? " " : "", (unsigned long long) counts[length]);
	}
	printf("), block %.1f MB\n", size / 1048576.0);
	return 0;
}
