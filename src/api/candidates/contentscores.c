/*
 * contentscores.c
 *	  What content says for the items, beside what interactions say.
 *
 * Two sums are kept for each item, both looked up in the graph of the items index as a piece of
 * its own: t by all evidence, and t' by what is known of it.  Both are the same for a
 * user whose items have many users, but cheap to have.
 */
#include "postgres.h"

#include <math.h>

#include "am/content/itemcolumns.h"
#include "am/graph/itemorder.h"
#include "api/candidates/contentlate.h"
#include "api/candidates/contentscores.h"
#include "api/declare/contentindex.h"
#include "api/declare/contentweight.h"
#include "api/declare/missing.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

/* Items of a user whose likes are looked for at most, the strongest ones */
#define MOST_EVIDENCE 200

/* Beside scores by interactions that have nothing to do with content, content stands behind. */
#define BEHIND 0.001

/* A graph in which it is looked up how many users an item has */
typedef struct KnownIn
{
	Relation	index;
	RecsysItemMap *map;
	RecsysExcludedPairs *excluded;
} KnownIn;

struct RecsysContentScores
{
	RecsysCatalogue *catalogue;
	RecsysRecommender items;	/* open */
	RecsysItemsReader *reader;
	RecsysScorePiece all;		/* evidence with weights w, in the items index */
	RecsysScorePiece known;		/* the same with w * a */
	RecsysLease *likes;			/* t */
	RecsysLease *known_likes;	/* t' */
	RecsysLateLikes *late;		/* NULL: all is merged */
	KnownIn    *graphs;
	int			ngraphs;
	double		scale;			/* c */
	double		users;			/* m */
};

/* What errors say of where they come from, and how to do without it */
static void
add_context(void *arg)
{
	const RecsysShop *shop = arg;

	errcontext("\"content\" of recommender \"%s\"", shop->definition->name);
	if (RecsysIsMissing(geterrcode()))
		errhint("%s", RecsysHintWithout(shop, "content", list_make1(shop->definition->content)));
}

static void
open_items(RecsysContentScores *content, RecsysShop *shop)
{
	RecsysOpenContent(shop->definition, &content->items);
	content->all.map = RecsysCatalogueMap(shop->catalogue, content->items.index);
	content->reader = RecsysItemsReaderCreate(content->items.heap, content->items.index,
											  GetActiveSnapshot());
}

/* Graphs whose evidence speaks for items, each once */
static void
find_graphs(RecsysContentScores *content, const RecsysScorePiece *pieces, int npieces)
{
	content->graphs = palloc(sizeof(KnownIn) * Max(npieces, 1));
	for (int x = 0; x < npieces; x++)
	{
		bool		known = pieces[x].graph.index == NULL || !(pieces[x].weight > 0);

		for (int y = 0; y < content->ngraphs && !known; y++)
			known = content->graphs[y].index == pieces[x].graph.index;
		if (!known)
			content->graphs[content->ngraphs++] = (KnownIn)
		{
			pieces[x].graph.index, pieces[x].map, pieces[x].excluded
		};
	}
}

/* How many users the item has, in the graph that knows most of them */
static double
count_users(const RecsysContentScores *content, uint32 slot)
{
	double		most = 0;

	for (int x = 0; x < content->ngraphs; x++)
	{
		const KnownIn *graph = &content->graphs[x];
		uint32		number = RecsysMapNumber(graph->map, graph->index, slot);
		RecsysGraphReader reader;
		double		users;

		if (number == RECSYS_NONE)
			continue;
		RecsysExcludedPrepare(graph->excluded, &number, 1);
		RecsysGraphReaderInit(&reader, graph->index);
		users = RecsysGraphNeedRow(&reader, number)->users;
		RecsysGraphReleaseRow(&reader);
		RecsysGraphReaderDone(&reader);
		most = Max(most, users * RecsysExcludedItemShare(graph->excluded, number));
	}
	return most;
}

double
RecsysContentKnown(RecsysContentScores *content, uint32 slot)
{
	double		users = count_users(content, slot);

	return users > 0 ? users / (users + content->users) : 0;
}

static int
compare_slots(const void *a, const void *b)
{
	const RecsysPieceItem *left = a;
	const RecsysPieceItem *right = b;

	return (left->slot > right->slot) - (left->slot < right->slot);
}

static int
compare_weights(const void *a, const void *b, void *order)
{
	const RecsysPieceItem *left = a;
	const RecsysPieceItem *right = b;

	if (fabs(left->weight) != fabs(right->weight))
		return fabs(left->weight) > fabs(right->weight) ? -1 : 1;
	return RecsysKeyOrderCompare(order, left->slot, right->slot);
}

/* The evidence of all pieces, each item once, on the scale that its pieces have in the score. */
static void
collect_evidence(RecsysScorePiece *all, const RecsysScorePiece *pieces, int npieces,
				 RecsysCatalogue *catalogue)
{
	RecsysKeyOrder order = RecsysCatalogueOrder(catalogue);
	Size		count = 0;
	int			n = 0;

	for (int x = 0; x < npieces; x++)
		count += pieces[x].count;
	all->items = palloc_extended(sizeof(RecsysPieceItem) * Max(count, 1), MCXT_ALLOC_HUGE);
	for (int x = 0; x < npieces; x++)
	{
		/* a graph that has none of its items says nothing of its scale */
		double		scale = pieces[x].scale != 0 ? pieces[x].scale : pieces[x].weight;

		/* what is known of an item by its content are items, too */
		for (int y = 0; y < pieces[x].count && pieces[x].catalogue == NULL; y++)
			all->items[n++] = (RecsysPieceItem)
		{
			pieces[x].items[y].slot, RECSYS_NONE, scale * pieces[x].items[y].weight, false
		};
	}
	qsort(all->items, n, sizeof(RecsysPieceItem), compare_slots);
	for (int x = 0; x < n; x++)
	{
		if (all->count > 0 && all->items[all->count - 1].slot == all->items[x].slot)
			all->items[all->count - 1].weight += all->items[x].weight;
		else
			all->items[all->count++] = all->items[x];
	}
	if (all->count <= MOST_EVIDENCE)
		return;
	qsort_arg(all->items, all->count, sizeof(RecsysPieceItem), compare_weights, &order);
	all->count = MOST_EVIDENCE;
}

/* The same where only what is known of each item counts */
static void
weigh_known(RecsysContentScores *content)
{
	RecsysScorePiece *known = &content->known;

	*known = content->all;
	known->items = palloc(sizeof(RecsysPieceItem) * Max(known->count, 1));
	for (int x = 0; x < known->count; x++)
	{
		known->items[x] = content->all.items[x];
		known->items[x].weight *= RecsysContentKnown(content, known->items[x].slot);
	}
}

static bool
is_evidence(const uint32 *slots, int n, uint32 slot)
{
	return n > 0 && bsearch(&slot, slots, n, sizeof(uint32), RecsysCompareItemNumbers) != NULL;
}

/*
 * The scale by this user alone: scores by interactions as a multiple of those by content, by least
 * squares.  Where they have nothing in common, content stands behind what has a score.
 */
static double
scale_of_user(const RecsysContentScores *content, const RecsysLease *s)
{
	const RecsysScorer *likes = RecsysLeased(content->likes);
	uint32	   *slots = RecsysPieceSlots(&content->all);
	double		product = 0;
	double		square = 0;
	double		highest = 0;
	const uint32 *touched;
	uint32		n = RecsysScorerTouched(likes, &touched);
	double		amount;
	double		best = RecsysScorerHighest(RecsysLeased(s), &amount);

	qsort(slots, content->all.count, sizeof(uint32), RecsysCompareItemNumbers);
	for (uint32 x = 0; x < n; x++)
	{
		double		like = RecsysScorerScore(likes, touched[x]);

		if (!(like > 0) || is_evidence(slots, content->all.count, touched[x]))
			continue;
		product += like * Max(RecsysScorerScore(RecsysLeased(s), touched[x]), 0);
		square += like * like;
		highest = Max(highest, like);
	}
	pfree(slots);
	if (!(best > 0) || !(square > 0))
		return 1;
	return product > 0 ? product / square : BEHIND * best / highest;
}

static void
read_weight(RecsysContentScores *content, const RecsysShop *shop)
{
	RecsysContentWeight weight;

	if (RecsysReadContentWeight(shop->definition, &weight))
	{
		content->scale = weight.scale;
		content->users = weight.users;
	}
}

RecsysContentScores *
RecsysScoreContent(RecsysShop *shop, const RecsysScorePiece *pieces, int npieces,
				   const RecsysLease *s)
{
	RecsysContentScores *content;
	ErrorContextCallback callback = {error_context_stack, add_context, shop};

	if (shop->definition->content == NULL)
		return NULL;
	error_context_stack = &callback;
	content = palloc0(sizeof(RecsysContentScores));
	content->catalogue = shop->catalogue;
	open_items(content, shop);
	find_graphs(content, pieces, npieces);
	read_weight(content, shop);
	collect_evidence(&content->all, pieces, npieces, shop->catalogue);
	content->all.graph = content->items;
	content->all.scale = 1;
	RecsysFindPieceNumbers(&content->all);
	weigh_known(content);

	content->late = RecsysFindLateLikes(content->reader, &content->all, shop->catalogue);
	content->likes = RecsysScorerLease(RecsysCatalogueCount(shop->catalogue));
	content->known_likes = RecsysScorerLease(RecsysCatalogueCount(shop->catalogue));
	RecsysAddLikes(content->late, &content->all, shop->catalogue, content->likes);
	RecsysAddLikes(content->late, &content->known, shop->catalogue, content->known_likes);
	if (content->scale == 0)
		content->scale = scale_of_user(content, s);
	error_context_stack = callback.previous;
	return content;
}

void
RecsysContentScoresFree(RecsysContentScores *content)
{
	RecsysScorerReturn(content->likes);
	RecsysScorerReturn(content->known_likes);
	RecsysItemsReaderFree(content->reader);
	RecsysCloseRecommender(&content->items);
}

void
RecsysContentBoost(RecsysContentScores *content, uint32 slot, double factor)
{
	RecsysScorerMultiply(RecsysLeased(content->likes), slot, factor);
	RecsysScorerMultiply(RecsysLeased(content->known_likes), slot, factor);
}

/* c t and c t' */
static double
likes_of(const RecsysContentScores *content, uint32 slot, double *known)
{
	*known = content->scale * RecsysScorerScore(RecsysLeased(content->known_likes), slot);
	return content->scale * RecsysScorerScore(RecsysLeased(content->likes), slot);
}

double
RecsysContentBlend(RecsysContentScores *content, uint32 slot, double s)
{
	double		known;
	double		likes = likes_of(content, slot, &known);
	double		part;

	if (s == 0 && likes == 0 && known == 0)
		return 0;
	part = RecsysContentKnown(content, slot);
	return Min(part * (s - known) + likes, Max(likes, s - known + likes));
}

double
RecsysContentBound(const RecsysContentScores *content, uint32 slot, double s)
{
	double		known;
	double		likes = likes_of(content, slot, &known);

	return Max(likes, s - known + likes);
}

uint32
RecsysContentTouched(const RecsysContentScores *content, const uint32 **slots)
{
	return RecsysScorerTouched(RecsysLeased(content->likes), slots);
}

bool
RecsysContentAlone(const RecsysContentScores *content, uint32 slot, double s)
{
	return !(s > 0) && RecsysScorerScore(RecsysLeased(content->likes), slot) > 0;
}

int
RecsysContentParts(const RecsysContentScores *content)
{
	return 2 * content->all.count + 1;
}

/* Names of the attributes in which two items are alike, the weightiest first; NULL: none. */
static char *
shared_attributes(RecsysContentScores *content, uint32 a, uint32 b)
{
	const RecsysContentModel *model = RecsysItemsModel(content->reader);
	const char *left = RecsysItemsContent(content->reader, a);
	const char *right = RecsysItemsContent(content->reader, b);
	float		parts[RECSYS_MAX_ATTRIBUTES];
	StringInfoData names;

	if (left == NULL || right == NULL)
		return NULL;
	(void) RecsysLikeness(model, left, right, parts);
	for (int x = 0; x < model->count; x++)
		parts[x] = parts[x] >= 0.5 ? parts[x] * model->attributes[x].weight : 0;
	initStringInfo(&names);
	for (;;)
	{
		int			best = 0;

		for (int x = 1; x < model->count; x++)
			if (parts[x] > parts[best])
				best = x;
		if (model->count == 0 || !(parts[best] > 0))
			break;
		appendStringInfo(&names, "%s%s", names.len > 0 ? ", " : "",
						 RecsysAttributeName(content->items.index, best));
		parts[best] = 0;
	}
	return names.len > 0 ? names.data : NULL;
}

int
RecsysContentExplain(RecsysContentScores *content, uint32 slot, RecsysPart *parts)
{
	double		known = RecsysContentKnown(content, slot);
	uint32		number = RecsysMapNumber(content->all.map, content->items.index, slot);
	int			count = RecsysExplainLikes(content->late, &content->all, content->catalogue, slot,
										   parts);
	int			n = 0;

	for (int x = 0; x < count; x++)
	{
		RecsysPart	part = parts[x];
		double		unknown = 1 - known * RecsysContentKnown(content, part.because);

		part.contribution = content->scale * unknown * part.weight * part.similarity;
		if (part.contribution == 0)
			continue;
		part.is_content = true;
		part.signal = -1;
		part.attributes = number == RECSYS_NONE ? NULL :
			shared_attributes(content, RecsysMapNumber(content->all.map, content->items.index,
													   part.because), number);
		parts[n++] = part;
	}
	return n;
}
