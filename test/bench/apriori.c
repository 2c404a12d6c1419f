/*
 * apriori.c
 *	  The textbook's Apriori, for comparison.
 *
 *	  apriori FILE PERCENT
 *
 * A line of the file is a basket of item numbers.  Prints how many item sets are
 * in at least that percentage of the baskets.
 *
 * Agrawal and Srikant 1994, "Fast algorithms for mining association rules": sets of
 * k + 1 items are put together from sets of k items that differ in the last one,
 * dropped unless all their subsets are frequent, and counted in one pass over the
 * baskets.  Sets are kept in a prefix tree.
 */
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Node
{
	uint32_t	item;
	uint32_t	count;
	uint32_t	nchildren;
	struct Node *children;		/* ascending by item */
} Node;

static uint32_t *items;			/* of all baskets, one after the other */
static size_t *offsets;			/* where each basket begins */
static size_t nbaskets;
static uint32_t most_item;

static void *
grow(void *place, size_t size)
{
	place = realloc(place, size);
	if (place == NULL)
	{
		fprintf(stderr, "apriori: out of memory\n");
		exit(1);
	}
	return place;
}

static int
compare(const void *a, const void *b)
{
	uint32_t	left = *(const uint32_t *) a;
	uint32_t	right = *(const uint32_t *) b;

	return (left > right) - (left < right);
}

static void
read_baskets(const char *path)
{
	FILE	   *file = fopen(path, "r");
	size_t		room = 1024;
	size_t		rows = 1024;
	size_t		n = 0;
	char	   *line = NULL;
	size_t		length = 0;

	if (file == NULL)
	{
		perror(path);
		exit(1);
	}
	items = grow(NULL, sizeof(uint32_t) * room);
	offsets = grow(NULL, sizeof(size_t) * rows);
	offsets[0] = 0;
	while (getline(&line, &length, file) > 0)
	{
		char	   *place = line;
		size_t		start = n;

		for (;;)
		{
			char	   *end;
			unsigned long item = strtoul(place, &end, 10);

			if (end == place)
				break;
			place = end;
			if (n == room)
				items = grow(items, sizeof(uint32_t) * (room *= 2));
			items[n++] = (uint32_t) item;
			most_item = item > most_item ? (uint32_t) item : most_item;
		}
		if (n == start)
			continue;
		qsort(items + start, n - start, sizeof(uint32_t), compare);
		if (nbaskets + 2 > rows)
			offsets = grow(offsets, sizeof(size_t) * (rows *= 2));
		offsets[++nbaskets] = n;
	}
	free(line);
	fclose(file);
}

static Node *
child(Node *node, uint32_t item)
{
	uint32_t	low = 0;
	uint32_t	high = node->nchildren;

	while (low < high)
	{
		uint32_t	middle = low + (high - low) / 2;

		if (node->children[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low < node->nchildren && node->children[low].item == item ? &node->children[low] : NULL;
}

/* Count the candidates, so many levels below the node, that a basket holds. */
static void
count(Node *node, const uint32_t *basket, size_t n, int levels)
{
	uint32_t	c = 0;

	for (size_t i = 0; i < n && c < node->nchildren; i++)
	{
		while (c < node->nchildren && node->children[c].item < basket[i])
			c++;
		if (c == node->nchildren || node->children[c].item != basket[i])
			continue;
		if (levels == 1)
			node->children[c].count++;
		else
			count(&node->children[c], basket + i + 1, n - i - 1, levels - 1);
	}
}

/* Drop what is not frequent so many levels below; returns how many are left there. */
static uint64_t
prune(Node *node, uint32_t least, int levels)
{
	uint64_t	left = 0;
	uint32_t	kept = 0;

	for (uint32_t c = 0; c < node->nchildren; c++)
	{
		if (levels > 1)
			left += prune(&node->children[c], least, levels - 1);
		else if (node->children[c].count >= least)
			node->children[kept++] = node->children[c];
	}
	if (levels > 1)
		return left;
	node->nchildren = kept;
	return kept;
}

/* Are all subsets of the path, one item dropped, in the tree? */
static bool
subsets_frequent(Node *root, const uint32_t *path, int length)
{
	for (int dropped = 0; dropped < length - 2; dropped++)
	{
		Node	   *node = root;

		for (int i = 0; i < length && node != NULL; i++)
			if (i != dropped)
				node = child(node, path[i]);
		if (node == NULL)
			return false;
	}
	return true;
}

/* Candidates one level below the nodes that are so many levels below this one. */
static void
join(Node *root, Node *node, uint32_t *path, int depth, int levels)
{
	for (uint32_t c = 0; c < node->nchildren; c++)
	{
		Node	   *first = &node->children[c];

		path[depth] = first->item;
		if (levels > 1)
		{
			join(root, first, path, depth + 1, levels - 1);
			continue;
		}
		first->children = grow(NULL, sizeof(Node) * (node->nchildren - c));
		for (uint32_t d = c + 1; d < node->nchildren; d++)
		{
			path[depth + 1] = node->children[d].item;
			if (subsets_frequent(root, path, depth + 2))
				first->children[first->nchildren++] = (Node) {.item = path[depth + 1]};
		}
	}
}

int
main(int argc, char **argv)
{
	Node		root = {0};
	uint32_t	least;
	uint64_t	level = 1;
	uint64_t	total = 0;
	uint32_t	path[1000];

	if (argc != 3)
	{
		fprintf(stderr, "usage: apriori FILE PERCENT\n");
		return 2;
	}
	read_baskets(argv[1]);
	least = (uint32_t) fmax(1, ceil(atof(argv[2]) / 100 * nbaskets * (1 - 1e-12)));
	root.children = grow(NULL, sizeof(Node) * ((size_t) most_item + 1));
	for (uint32_t item = 0; item <= most_item; item++)
		root.children[root.nchildren++] = (Node) {.item = item};
	for (int k = 1; level > 0 && k < 999; k++)
	{
		for (size_t b = 0; b < nbaskets; b++)
			count(&root, items + offsets[b], offsets[b + 1] - offsets[b], k);
		level = prune(&root, least, k);
		total += level;
		join(&root, &root, path, 0, k);
	}
	printf("%llu\n", (unsigned long long) total);
	return 0;
}
