/*
 * sameness.c
 *	  Are two items the same thing, sold twice?
 */
#include "core/content/sameness.h"

#include "core/base/random.h"

/* So many pairs tell the median to within a few hundredths. */
#define CHANCE_PAIRS 2001

/* Of a vector that nearly all items share nothing can be told. */
#define MOST_CHANCE 0.999f

/* A text of fewer words, or that more items share, is a label by its nature. */
#define LEAST_WORDS 3
#define EQUAL 0.95f
#define MOST_EQUAL 0.005
#define MOST_EQUAL_ITEMS 10

bool
RecsysMayIdentify(const RecsysAttribute *attribute)
{
	return attribute->weight > 0 && (attribute->kind == RECSYS_ATTRIBUTE_TEXT ||
									 attribute->kind == RECSYS_ATTRIBUTE_VECTOR);
}

bool
RecsysSamenessIdentifies(const RecsysSamenessModel *model)
{
	for (int x = 0; x < model->content->count; x++)
		if (model->identifies[x])
			return true;
	return false;
}

static bool
both_know(const RecsysContentModel *content, const char *a, const char *b, int attribute)
{
	double		number;

	return RecsysContentKnows(content, a, attribute, &number) &&
		RecsysContentKnows(content, b, attribute, &number);
}

static int
compare_floats(const void *a, const void *b)
{
	float		x = *(const float *) a;
	float		y = *(const float *) b;

	return x < y ? -1 : x > y;
}

/* Likenesses of pairs that know the attribute, ascending; returns how many. */
static int
pairs_of(const RecsysContentModel *content, const char *const *sample, int n, int attribute,
		 uint64 seed, float *likenesses)
{
	RecsysRandom random;
	int			count = 0;

	RecsysRandomStart(&random, seed, attribute);
	for (int x = 0; x < CHANCE_PAIRS && n > 1; x++)
	{
		uint32		a = RecsysRandomBelow(&random, n);
		uint32		b = RecsysRandomBelow(&random, n - 1);
		float		parts[RECSYS_MAX_ATTRIBUTES];

		b += b >= a;
		CHECK_FOR_INTERRUPTS();
		if (!both_know(content, sample[a], sample[b], attribute))
			continue;
		RecsysLikeness(content, sample[a], sample[b], parts);
		likenesses[count++] = parts[attribute];
	}
	qsort(likenesses, count, sizeof(float), compare_floats);
	return count;
}

/* Texts of an index that was built over no rows are taken as titles. */
static bool
is_title(const RecsysAttribute *attribute, const float *likenesses, int count, uint32 all)
{
	int			equal = 0;
	double		most = Max(MOST_EQUAL, (double) MOST_EQUAL_ITEMS / Max(all, 1));

	if (attribute->documents > 0 && attribute->mean_length < LEAST_WORDS)
		return false;
	while (equal < count && likenesses[count - 1 - equal] >= EQUAL)
		equal++;
	return equal <= most * count;
}

void
RecsysSamenessInit(RecsysSamenessModel *model, const RecsysContentModel *content,
				   const char *const *sample, int n, uint32 all, uint64 seed)
{
	float	   *likenesses = palloc(sizeof(float) * CHANCE_PAIRS);

	memset(model, 0, sizeof(*model));
	model->content = content;
	for (int a = 0; a < content->count; a++)
	{
		const RecsysAttribute *attribute = &content->attributes[a];
		int			count;

		if (!RecsysMayIdentify(attribute))
			continue;
		count = pairs_of(content, sample, n, a, seed, likenesses);
		if (attribute->kind == RECSYS_ATTRIBUTE_TEXT)
			model->identifies[a] = is_title(attribute, likenesses, count, all);
		else
		{
			model->identifies[a] = true;
			model->chance[a] = count > 0 ? Min(likenesses[count / 2], MOST_CHANCE) : 0;
		}
	}
	pfree(likenesses);
}

static float
above_chance(float likeness, float chance)
{
	return likeness > chance ? (likeness - chance) / (1 - chance) : 0;
}

void
RecsysCompareItems(const RecsysSamenessModel *model, const char *a, const char *b,
				   RecsysSameness *sameness)
{
	const RecsysContentModel *content = model->content;
	double		identifying = 0;	/* weights of what identifies, */
	double		alike = 0;			/* and of its likeness */
	double		looked_at = 0;
	double		disagreeing = 0;

	RecsysLikeness(content, a, b, sameness->likeness);
	sameness->best = 0;
	sameness->least = 1;
	for (int x = 0; x < content->count; x++)
	{
		const RecsysAttribute *attribute = &content->attributes[x];
		float		likeness = sameness->likeness[x];

		sameness->known[x] = attribute->weight > 0 && both_know(content, a, b, x);
		if (!sameness->known[x])
			continue;
		if (model->must_agree[x])
			sameness->least = Min(sameness->least, likeness);
		if (attribute->kind == RECSYS_ATTRIBUTE_NUMBER)
			continue;
		looked_at += attribute->weight;
		if (model->identifies[x])
		{
			float		counts = above_chance(likeness, model->chance[x]);

			identifying += attribute->weight;
			alike += attribute->weight * counts;
			sameness->best = Max(sameness->best, counts);
		}
		else
			disagreeing += attribute->weight * (1 - likeness);
	}
	sameness->score = identifying > 0 ?
		(float) ((sameness->best + alike / identifying) / 2 * (1 - disagreeing / looked_at)) : 0;
}
