/*
 * contentlate.c
 *	  Likenesses to the items of a user, where rows have not been merged yet.
 *
 * A row that is not merged is a neighbor of those items in whose row of the graph it would
 * stand: that is, it is no less like them than the last one that the row shows.  What the graph
 * has of the same item is of another content, or of none.
 */
#include "postgres.h"

#include <math.h>

#include "am/graph/itemorder.h"
#include "api/candidates/contentlate.h"
#include "miscadmin.h"

/*
 * Items of a user, the strongest ones, that rows which are not merged are compared with; and those
 * that are not merged themselves, each of which is compared with the whole catalogue.
 */
#define MOST_COMPARED 64
#define MOST_SEARCHED 8

/* Scores of a block are aligned to this, see core/content/content.h. */
#define SCORES_ALIGNMENT 64

typedef struct LateLike
{
	int			place;			/* in the piece */
	uint32		slot;
	float		like;
} LateLike;

struct RecsysLateLikes
{
	int			nunmerged;
	uint32	   *slots;			/* of what is not merged, ascending */
	bool	   *is_late;		/* by places: the user's item is not merged */
	LateLike   *likes;
	int			count;
	int			room;
};

/* An item of the user that late rows are compared with */
typedef struct Compared
{
	int			place;
	uint32		number;
	double		weight;			/* its amount */
	float		floor;			/* less than this is no neighbor */
} Compared;

static int
compare_unmerged(const void *a, const void *b)
{
	const RecsysUnmerged *left = a;
	const RecsysUnmerged *right = b;

	return (left->item > right->item) - (left->item < right->item);
}

static bool
is_unmerged(const RecsysUnmerged *unmerged, int n, uint32 number)
{
	RecsysUnmerged wanted = {.item = number};

	return bsearch(&wanted, unmerged, n, sizeof(RecsysUnmerged), compare_unmerged) != NULL;
}

static void
add_like(RecsysLateLikes *late, int place, uint32 slot, float like)
{
	if (slot == RECSYS_NONE)
		return;
	if (late->count == late->room)
	{
		late->room = Max(256, late->room * 2);
		late->likes = late->likes == NULL ? palloc(sizeof(LateLike) * late->room) :
			repalloc_huge(late->likes, sizeof(LateLike) * (Size) late->room);
	}
	late->likes[late->count++] = (LateLike)
	{
		place, slot, like
	};
}

static int
compare_strength(const void *a, const void *b)
{
	const Compared *left = a;
	const Compared *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	return (left->number > right->number) - (left->number < right->number);
}

/* The piece's items of one sort, strongest first; returns how many. */
static int
strongest(const RecsysScorePiece *piece, const bool *is_late, bool wanted, Compared *out)
{
	int			n = 0;

	for (int x = 0; x < piece->count; x++)
		if (piece->items[x].number != RECSYS_NONE && is_late[x] == wanted)
			out[n++] = (Compared)
		{
			x, piece->items[x].number, fabs(piece->items[x].weight), 0
		};
	qsort(out, n, sizeof(Compared), compare_strength);
	return n;
}

typedef struct FloorSearch
{
	Compared   *compared;
	int			neighbors;
} FloorSearch;

static void
read_floor(void *arg, int position, RecsysGraphRow row)
{
	FloorSearch *search = arg;

	if (row->nneighbors > 0 && row->nneighbors >= search->neighbors)
		search->compared[position].floor = RecsysRowScores(row)[row->nneighbors - 1];
}

static void
read_floors(RecsysGraphReader *graph, Compared *compared, int n)
{
	FloorSearch search = {compared, RecsysGetCache(graph->index)->meta.neighbors};
	uint32	   *numbers = palloc(sizeof(uint32) * Max(n, 1));

	for (int x = 0; x < n; x++)
		numbers[x] = compared[x].number;
	RecsysGraphVisitRows(graph, numbers, n, read_floor, &search);
	pfree(numbers);
}

/* All late rows with those of the user's items that have content */
static void
compare_late(RecsysLateLikes *late, RecsysItemsReader *reader, Compared *compared, int n,
			 const RecsysUnmerged *unmerged, const uint32 *slots)
{
	RecsysLikenessBlock *block = RecsysBlockCreate(RecsysItemsModel(reader), Max(n, 1));
	int			nqueries = 0;
	int			stride;
	char	   *memory;
	float	   *scores;

	for (int x = 0; x < n; x++)
	{
		const char *content = RecsysItemsContent(reader, compared[x].number);

		if (content == NULL)
			continue;
		RecsysBlockAdd(block, content);
		compared[nqueries++] = compared[x];
	}
	stride = RecsysBlockStride(block);
	memory = palloc(sizeof(float) * stride * RECSYS_TILE + SCORES_ALIGNMENT);
	scores = (float *) TYPEALIGN(SCORES_ALIGNMENT, memory);
	for (int first = 0; first < late->nunmerged && nqueries > 0; first += RECSYS_TILE)
	{
		const char *packed[RECSYS_TILE];
		int			ntile = Min(RECSYS_TILE, late->nunmerged - first);

		CHECK_FOR_INTERRUPTS();
		for (int y = 0; y < ntile; y++)
			packed[y] = unmerged[first + y].packed;
		RecsysBlockCompare(block, packed, ntile, scores);
		for (int y = 0; y < ntile; y++)
			for (int x = 0; x < nqueries; x++)
			{
				float		like = scores[y * stride + x];

				if (like > 0 && like >= compared[x].floor)
					add_like(late, compared[x].place, slots[first + y], like);
			}
	}
	RecsysBlockFree(block);
	pfree(memory);
}

/* The neighbors of an item of the user that is not merged itself */
static void
search_neighbors(RecsysLateLikes *late, RecsysItemsReader *reader, RecsysItemMap *map,
				 RecsysGraphReader *graph, const Compared *item)
{
	RecsysLike *likes;
	int			n = RecsysItemsNeighbors(reader, item->number, PG_INT32_MAX, &likes);

	for (int x = 0; x < n; x++)
		add_like(late, item->place, RecsysMapSlot(map, graph, likes[x].item), likes[x].score);
	if (likes != NULL)
		pfree(likes);
}

RecsysLateLikes *
RecsysFindLateLikes(RecsysItemsReader *reader, const RecsysScorePiece *piece,
					RecsysCatalogue *catalogue)
{
	RecsysLateLikes *late;
	const RecsysUnmerged *unmerged;
	int			nunmerged = RecsysItemsUnmerged(reader, &unmerged);
	RecsysGraphReader graph;
	Compared   *compared;
	uint32	   *slots;
	int			n;

	if (nunmerged == 0)
		return NULL;
	late = palloc0(sizeof(RecsysLateLikes));
	late->nunmerged = nunmerged;
	late->is_late = palloc0(sizeof(bool) * Max(piece->count, 1));
	for (int x = 0; x < piece->count; x++)
		late->is_late[x] = is_unmerged(unmerged, nunmerged, piece->items[x].number);

	RecsysGraphReaderInit(&graph, piece->graph.index);
	slots = palloc_extended(sizeof(uint32) * (Size) nunmerged, MCXT_ALLOC_HUGE);
	for (int x = 0; x < nunmerged; x++)
	{
		CHECK_FOR_INTERRUPTS();
		slots[x] = RecsysMapSlot(piece->map, &graph, unmerged[x].item);
	}
	compared = palloc(sizeof(Compared) * Max(piece->count, 1));
	n = Min(strongest(piece, late->is_late, false, compared), MOST_COMPARED);
	read_floors(&graph, compared, n);
	compare_late(late, reader, compared, n, unmerged, slots);
	n = Min(strongest(piece, late->is_late, true, compared), MOST_SEARCHED);
	for (int x = 0; x < n; x++)
		search_neighbors(late, reader, piece->map, &graph, &compared[x]);
	RecsysGraphReaderDone(&graph);
	pfree(compared);
	qsort(slots, nunmerged, sizeof(uint32), RecsysCompareItemNumbers);
	late->slots = slots;
	return late;
}

/* The piece without items that the graph does not know as they are; places (may be NULL) as they were. */
static RecsysScorePiece
merged_part(const RecsysLateLikes *late, const RecsysScorePiece *piece)
{
	RecsysScorePiece merged = *piece;

	merged.count = 0;
	merged.items = palloc(sizeof(RecsysPieceItem) * Max(piece->count, 1));
	for (int x = 0; x < piece->count; x++)
		if (!late->is_late[x])
			merged.items[merged.count++] = piece->items[x];
	return merged;
}

void
RecsysAddLikes(const RecsysLateLikes *late, RecsysScorePiece *piece, RecsysCatalogue *catalogue,
			   RecsysLease *likes)
{
	RecsysScorePiece merged;

	if (late == NULL)
	{
		RecsysAddPiece(piece, catalogue, likes, 1, PG_INT32_MAX, NULL, 0);
		return;
	}
	merged = merged_part(late, piece);
	RecsysAddPiece(&merged, catalogue, likes, 1, PG_INT32_MAX, NULL, 0);
	piece->self = merged.self;
	RecsysScorerExtend(RecsysLeased(likes), RecsysCatalogueCount(catalogue));
	for (int x = 0; x < late->nunmerged; x++)
		RecsysScorerMultiply(RecsysLeased(likes), late->slots[x], 0);
	for (int x = 0; x < late->count; x++)
		RecsysScorerAddScore(RecsysLeased(likes), late->likes[x].slot,
							 piece->items[late->likes[x].place].weight * late->likes[x].like);
	pfree(merged.items);
}

int
RecsysExplainLikes(const RecsysLateLikes *late, RecsysScorePiece *piece, RecsysCatalogue *catalogue,
				   uint32 slot, RecsysPart *parts)
{
	RecsysScorePiece merged;
	int			n = 0;

	if (late == NULL)
		return RecsysExplainPiece(piece, catalogue, slot, parts);
	merged = merged_part(late, piece);
	if (bsearch(&slot, late->slots, late->nunmerged, sizeof(uint32), RecsysCompareItemNumbers) == NULL)
		n = RecsysExplainPiece(&merged, catalogue, slot, parts);
	for (int x = 0; x < late->count; x++)
	{
		const LateLike *like = &late->likes[x];

		if (like->slot != slot)
			continue;
		memset(&parts[n], 0, sizeof(RecsysPart));
		parts[n].signal = -1;
		parts[n].because = piece->items[like->place].slot;
		parts[n].weight = piece->items[like->place].weight;
		parts[n].similarity = like->like;
		parts[n++].support = -1;
	}
	pfree(merged.items);
	return n;
}
