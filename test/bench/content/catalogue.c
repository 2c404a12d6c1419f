/*
 * catalogue.c
 *	  Products of a made-up marketplace and who buys them, as text for COPY.
 *
 *	  catalogue products [items=N] [first=N] [seed=N] [dimensions=N]  >rows
 *	  catalogue purchases [items=N] [users=N] [purchases=N] [seed=N]  >rows
 *
 * A product is item_id, category, brand, tags, title, price and an embedding; items=N of them,
 * numbered from first (1).  What a product is depends on its number and the seed alone, so
 * that more of the same marketplace can be had later.  A purchase is user_id and item_id, no pair
 * twice; a user's purchases come in the order in which they were made.
 *
 * Categories (200) are of Zipf's law; each has 8 styles and 30 brands.  The style gives three of the tags,
 * most words of the title, and the direction of the embedding, in which a third of the square is
 * noise of the product's own.  Prices are log-normal around those of category and brand.  Titles have
 * words that say nothing, by Zipf's law.
 *
 * A user has one to four styles and a liking for one brand of each.  Six of seven purchases are of
 * a style of the user, half of these of the brand if it has any; the others are of any product.  Among those that
 * come into question the popular ones are drawn more often (1 / rank, by a rank of the product's own), whatever
 * they look like.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATEGORIES 200
#define STYLES 8
#define BRANDS 30
#define MAX_DIMENSIONS 1024
#define KINDS (CATEGORIES * STYLES)

static uint64_t items = 100000;
static uint64_t first = 1;
static uint64_t seed = 1;
static uint64_t dimensions = 128;
static uint64_t users = 20000;
static uint64_t purchases = 300000;

/* splitmix64: what is drawn depends on a state alone */
static uint64_t
next(uint64_t *state)
{
	uint64_t	z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static double
uniform(uint64_t *state)
{
	return (next(state) >> 11) * 0x1p-53;
}

static uint64_t
below(uint64_t *state, uint64_t n)
{
	return next(state) % n;
}

static double
normal(uint64_t *state)
{
	double		u = 1 - uniform(state);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * uniform(state));
}

/* A state for one thing of one kind */
static uint64_t
state_of(uint64_t kind, uint64_t number)
{
	uint64_t	state = seed * UINT64_C(0x9e3779b97f4a7c15) + kind;

	state = next(&state) + number;
	next(&state);
	return state;
}

/* 0 to n - 1; the chance of r is about that of 1 / (r + 1). */
static uint64_t
zipf(uint64_t *state, uint64_t n)
{
	uint64_t	r = (uint64_t) (exp(uniform(state) * log((double) n + 1)) - 1);

	return r < n ? r : n - 1;
}

typedef struct Product
{
	uint64_t	category;
	uint64_t	style;
	uint64_t	brand;			/* within the category */
	uint64_t	popularity;		/* 0 is the most popular of a thousand */
	uint64_t	state;
} Product;

static Product
product_of(uint64_t number)
{
	Product		p;

	p.state = state_of(1, number);
	p.category = zipf(&p.state, CATEGORIES);
	p.style = below(&p.state, STYLES);
	p.brand = zipf(&p.state, BRANDS);
	p.popularity = below(&p.state, 1000);
	return p;
}

/* Words are made of syllables, so that they look like words. */
static void
put_word(uint64_t kind, uint64_t number)
{
	static const char *const syllables[] = {"ba", "co", "di", "fu", "ga", "ho", "ki", "lu", "ma", "no", "pi", "ru", "sa", "to", "vi", "zu"};
	uint64_t	state = state_of(kind, number);
	int			length = 2 + (int) below(&state, 3);

	for (int x = 0; x < length; x++)
		fputs(syllables[below(&state, 16)], stdout);
}

static void
put_tags(Product *p)
{
	uint64_t	kind = p->category * STYLES + p->style;

	putchar('{');
	for (uint64_t x = 0; x < 3; x++)
	{
		/* tags of a style are other styles' as well */
		uint64_t	style = state_of(2, kind * 3 + x);

		printf("t%" PRIu64 ",", below(&style, 500));
	}
	printf("u%" PRIu64 "}", zipf(&p->state, 2000));
}

static void
put_title(Product *p)
{
	uint64_t	kind = p->category * STYLES + p->style;
	int			words = 2 + (int) below(&p->state, 3);

	put_word(3, p->category);
	putchar(' ');
	for (int x = 0; x < words; x++)
	{
		put_word(4, kind * 6 + below(&p->state, 6));
		putchar(' ');
	}
	for (int x = 0; x < 3; x++)
	{
		put_word(5, zipf(&p->state, 5000));
		putchar(' ');
	}
	printf("b%" PRIu64, p->category * BRANDS + p->brand);
}

static void
put_price(Product *p)
{
	uint64_t	category = state_of(6, p->category);
	uint64_t	brand = state_of(7, p->category * BRANDS + p->brand);

	printf("%.2f", exp(3 + normal(&category) + 0.4 * normal(&brand) + 0.3 * normal(&p->state)));
}

/* Directions of all styles, half of whose square is that of the category */
static float *
make_directions(void)
{
	float	   *directions = malloc(sizeof(float) * KINDS * dimensions);

	if (directions == NULL)
		exit(1);
	for (uint64_t kind = 0; kind < KINDS; kind++)
	{
		uint64_t	category = state_of(8, kind / STYLES);
		uint64_t	style = state_of(9, kind);

		for (uint64_t x = 0; x < dimensions; x++)
			directions[kind * dimensions + x] = (float) ((normal(&category) + normal(&style)) * M_SQRT1_2);
	}
	return directions;
}

static void
put_embedding(Product *p, const float *directions)
{
	const float *direction = directions + (p->category * STYLES + p->style) * dimensions;

	putchar('{');
	for (uint64_t x = 0; x < dimensions; x++)
	{
		/* the sum of four uniform ones is normal enough, and cheap */
		uint64_t	bits = next(&p->state);
		double		noise = ((bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48)) / 65535.0 - 2;
		int			value = (int) (100 * (direction[x] + noise * sqrt(3.0 / 2)));

		if (x > 0)
			putchar(',');
		printf("%d", value);
	}
	putchar('}');
}

static void
put_products(void)
{
	float	   *directions = make_directions();

	for (uint64_t number = first; number < first + items; number++)
	{
		Product		p = product_of(number);

		printf("%" PRIu64 "\tc%" PRIu64 "\tb%" PRIu64 "\t", number, p.category, p.category * BRANDS + p.brand);
		put_tags(&p);
		putchar('\t');
		put_title(&p);
		putchar('\t');
		put_price(&p);
		putchar('\t');
		put_embedding(&p, directions);
		putchar('\n');
	}
	free(directions);
}

/* Products in order of their style, and where each style begins */
typedef struct Shelf
{
	uint64_t   *numbers;
	uint64_t	starts[KINDS + 1];
	Product    *products;		/* by number */
} Shelf;

static void
fill_shelf(Shelf *shelf)
{
	uint64_t	filled[KINDS];

	shelf->products = malloc(sizeof(Product) * (items + 1));
	shelf->numbers = malloc(sizeof(uint64_t) * (items + 1));
	if (shelf->products == NULL || shelf->numbers == NULL)
		exit(1);
	memset(shelf->starts, 0, sizeof(shelf->starts));
	for (uint64_t number = 1; number <= items; number++)
	{
		shelf->products[number] = product_of(number);
		shelf->starts[shelf->products[number].category * STYLES + shelf->products[number].style + 1]++;
	}
	for (int kind = 0; kind < KINDS; kind++)
		shelf->starts[kind + 1] += shelf->starts[kind];
	memcpy(filled, shelf->starts, sizeof(filled));
	for (uint64_t number = 1; number <= items; number++)
		shelf->numbers[filled[shelf->products[number].category * STYLES + shelf->products[number].style]++] = number;
}

/* One of n in question, popular ones more often: the best of some that are drawn evenly */
static uint64_t
draw(const Shelf *shelf, const uint64_t *numbers, uint64_t n, uint64_t brand, uint64_t *state)
{
	uint64_t	number;

	for (int tries = 0; tries < 200; tries++)
	{
		number = numbers == NULL ? 1 + below(state, n) : numbers[below(state, n)];
		if (brand < BRANDS && shelf->products[number].brand != brand)
			continue;
		if (uniform(state) < 1 / (1 + shelf->products[number].popularity / 20.0))
			return number;
	}
	return numbers == NULL ? 1 + below(state, n) : numbers[below(state, n)];
}

static void
put_purchases(void)
{
	Shelf		shelf;
	uint64_t	mean = purchases / users;

	fill_shelf(&shelf);
	for (uint64_t user = 1; user <= users; user++)
	{
		uint64_t	state = state_of(10, user);
		uint64_t	kinds[4];
		uint64_t	brands[4];
		uint64_t	nkinds = 1 + below(&state, 4);
		uint64_t	want = 2 + (uint64_t) (-log(1 - uniform(&state)) * (mean > 2 ? mean - 2 : 0));
		uint64_t	bought[256];
		uint64_t	n = 0;

		for (uint64_t x = 0; x < nkinds; x++)
		{
			/* as products are spread, so are tastes */
			kinds[x] = zipf(&state, CATEGORIES) * STYLES + below(&state, STYLES);
			brands[x] = zipf(&state, BRANDS);
		}
		for (uint64_t tries = 0; n < want && n < 256 && tries < 4 * want; tries++)
		{
			uint64_t	which = below(&state, nkinds);
			uint64_t	start = shelf.starts[kinds[which]];
			uint64_t	count = shelf.starts[kinds[which] + 1] - start;
			uint64_t	number;
			uint64_t	x;

			if (count == 0 || uniform(&state) < 1 / 7.0)
				number = draw(&shelf, NULL, items, BRANDS, &state);
			else
				number = draw(&shelf, shelf.numbers + start, count, uniform(&state) < 0.5 ? brands[which] : BRANDS, &state);
			for (x = 0; x < n && bought[x] != number; x++)
				;
			if (x < n)
				continue;
			bought[n++] = number;
			printf("%" PRIu64 "\t%" PRIu64 "\n", user, number);
		}
	}
	free(shelf.numbers);
	free(shelf.products);
}

static void
usage(void)
{
	fputs("usage: catalogue products|purchases [items=N] [first=N] [seed=N] [dimensions=N] [users=N] [purchases=N]\n", stderr);
	exit(2);
}

int
main(int argc, char **argv)
{
	struct
	{
		const char *name;
		uint64_t   *value;
	}			parameters[] = {{"items", &items}, {"first", &first}, {"seed", &seed}, {"dimensions", &dimensions}, {"users", &users}, {"purchases", &purchases}};

	if (argc < 2)
		usage();
	for (int arg = 2; arg < argc; arg++)
	{
		char	   *equals = strchr(argv[arg], '=');
		char	   *end = NULL;
		size_t		x;

		if (equals == NULL)
			usage();
		for (x = 0; x < sizeof(parameters) / sizeof(parameters[0]); x++)
		{
			if (strlen(parameters[x].name) == (size_t) (equals - argv[arg]) &&
				memcmp(parameters[x].name, argv[arg], equals - argv[arg]) == 0)
			{
				*parameters[x].value = strtoull(equals + 1, &end, 10);
				break;
			}
		}
		if (end == NULL || *end != '\0' || end == equals + 1)
			usage();
	}
	if (items < 1 || users < 1 || dimensions < 1 || dimensions > MAX_DIMENSIONS)
		usage();
	if (strcmp(argv[1], "products") == 0)
		put_products();
	else if (strcmp(argv[1], "purchases") == 0)
		put_purchases();
	else
		usage();
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
