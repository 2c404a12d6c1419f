/*
 * test_sameness.c
 *	  Tests of core/content/sameness: a title, a brand, a price and a picture.
 */
#include "core/content/sameness.h"
#include "tap.h"

#include <math.h>

#define TITLE 0
#define BRAND 1
#define PRICE 2
#define PICTURE 3

static RecsysContentModel content;

static uint32
no_counts(void *arg, uint64 hash)
{
	return 0;
}

static void
declare(void)
{
	content.count = 4;
	for (int a = 0; a < 4; a++)
	{
		content.attributes[a].weight = 1;
		content.attributes[a].scale = 0.5f;
		content.attributes[a].k1 = 1.2f;
		content.attributes[a].b = 0.75f;
		content.attributes[a].mean_length = 3;
		content.attributes[a].documents = 10;
	}
	content.attributes[TITLE].kind = RECSYS_ATTRIBUTE_TEXT;
	content.attributes[BRAND].kind = RECSYS_ATTRIBUTE_LABEL;
	content.attributes[BRAND].weight = 0.5f;
	content.attributes[PRICE].kind = RECSYS_ATTRIBUTE_NUMBER;
	content.attributes[PICTURE].kind = RECSYS_ATTRIBUTE_VECTOR;
	content.attributes[PICTURE].dimensions = 2;
}

/* NULL, price 0 and an angle below 0 are not known. */
static char *
item(const char *title, const char *brand, double price, double angle)
{
	RecsysRawContent raw = {.count = 4};
	RecsysTerm *terms;
	RecsysTerm	label;
	float		vector[2] = {(float) cos(angle), (float) sin(angle)};
	char	   *packed;

	if (title != NULL)
	{
		raw.values[TITLE].known = true;
		raw.values[TITLE].nterms = RecsysTextTerms(TITLE, title, strlen(title), true, &terms);
		raw.values[TITLE].terms = terms;
	}
	if (brand != NULL)
	{
		label.hash = RecsysTermHash(BRAND, brand, strlen(brand));
		label.count = 1;
		raw.values[BRAND].known = true;
		raw.values[BRAND].nterms = 1;
		raw.values[BRAND].terms = &label;
	}
	raw.values[PRICE].known = price > 0;
	raw.values[PRICE].number = price;
	raw.values[PICTURE].known = angle >= 0;
	raw.values[PICTURE].dimensions = 2;
	raw.values[PICTURE].vector = vector;
	packed = palloc(RecsysContentPackedSize(&content, &raw));
	RecsysContentPack(&content, &raw, 0, no_counts, NULL, packed);
	if (title != NULL)
		pfree(terms);
	return packed;
}

static RecsysSameness
compare(const RecsysSamenessModel *model, char *a, char *b)
{
	RecsysSameness there;
	RecsysSameness back;

	RecsysCompareItems(model, a, b, &there);
	RecsysCompareItems(model, b, a, &back);
	if (there.score != back.score || there.best != back.best)
		there.score = NAN;
	pfree(a);
	pfree(b);
	return there;
}

static bool
near(double a, double b)
{
	return fabs(a - b) < 2e-3;
}

void
test_sameness(void)
{
	RecsysSamenessModel model;
	RecsysSameness s;
	char	   *sample[40];

	declare();
	RecsysSamenessInit(&model, &content, NULL, 0, 0, 1);
	s = compare(&model, item("oak lamp", "x", 10, 0), item("oak lamp", "x", 90, 0));
	ok(near(s.score, 1) && near(s.best, 1) && s.known[PRICE] && s.likeness[PRICE] < 0.1,
	   "what is the same has many prices");
	s = compare(&model, item("oak lamp", "x", 10, 0), item("steel chair", "x", 10, 0));
	ok(near(s.score, 0.75), "the same picture under another title (%g)", s.score);
	s = compare(&model, item("oak lamp", "x", 10, 0), item("oak lamp", "y", 10, 0));
	ok(near(s.score, 1 - 0.5 / 2.5), "another brand (%g)", s.score);
	s = compare(&model, item(NULL, "x", 10, -1), item("oak lamp", "x", 10, 0));
	ok(s.score == 0 && s.best == 0, "labels and prices identify nothing");
	s = compare(&model, item(NULL, NULL, 0, 0), item("oak lamp", "x", 10, M_PI / 3));
	ok(near(s.score, 0.5) && !s.known[TITLE] && !s.known[BRAND] && s.known[PICTURE] && s.least == 1,
	   "what only one of them says says nothing (%g)", s.score);
	model.must_agree[BRAND] = true;
	s = compare(&model, item("oak lamp", "x", 10, 0), item("oak lamp", "y", 10, 0));
	ok(s.least == 0, "what must agree and does not");

	for (int x = 0; x < 40; x++)
		sample[x] = item("oak lamp", "x", 10, x % 2 == 0 ? 0 : M_PI / 3);
	RecsysSamenessInit(&model, &content, (const char *const *) sample, 40, 40, 1);
	s = compare(&model, item(NULL, "x", 10, 0), item(NULL, "x", 10, acos(0.75)));
	ok(near(model.chance[PICTURE], 0.5) && near(s.score, 0.5) && near(s.likeness[PICTURE], 0.75) &&
	   model.chance[TITLE] == 0, "pictures count as far as they are alike beyond chance (%g, %g)",
	   model.chance[PICTURE], s.score);
	ok(!model.identifies[TITLE] && model.identifies[PICTURE] && RecsysSamenessIdentifies(&model),
	   "a text that all share is no title");
	content.attributes[TITLE].mean_length = 2;
	RecsysSamenessInit(&model, &content, NULL, 0, 0, 1);
	ok(!model.identifies[TITLE] && !model.identifies[BRAND] && !model.identifies[PRICE] && model.identifies[PICTURE],
	   "nor is one of two words");
	for (int x = 0; x < 40; x++)
		pfree(sample[x]);
}
