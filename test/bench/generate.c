/*
 * generate.c
 *	  Interactions of a made-up shop, as text for COPY.
 *
 *	  generate [users=N] [items=N] [interactions=N] [seed=N] [columns=2|4]
 *	           [sigma=X] [exponent=X] [offset=X]  >rows  2>report
 *
 * A row is user_id, item_id and, with columns=4, quantity and purchased_at.
 * The defaults have the shape of the positive ratings of MovieLens 20M:
 * 138,000 users, 27,000 items, 10,000,000 interactions.  The same arguments
 * give the same rows on every machine with the same math library.
 *
 * Users.  The number of items of a user is log-normal with deviation sigma
 * (1.1), scaled so that all of them add up to exactly the number asked for, at
 * least 1 and at most a third of the items.
 *
 * Items.  A user draws distinct items.  The chance of the r-th most popular one
 * is proportional to 1 / (r + offset) ^ exponent, Zipf's law with Mandelbrot's
 * offset (1.2 and 50), which keeps the most popular item to a believable part of
 * the users.  So that a small number does not mean popular, item numbers are
 * scattered: r * 1000003 modulo the number of items, plus 1, with r from 0.  The
 * insert scripts of the benchmark draw items by the same formulas.
 *
 * Order.  Rows arrive as they would over time, all users interleaved: a random
 * permutation of all rows, whose times only rise.  It is the worst order for
 * anything that wants a user's rows together, and the usual one.
 *
 * No (user, item) occurs twice.  The quantity is geometric, 1 in two of three
 * rows.  The report names what the cost of training depends on: the sum over
 * users of the square of their number of items is the number of item pairs.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Give up drawing at random after so many tries an item, and fill up in order. */
#define MAX_TRIES 50

/* Scatters item numbers; a prime, so that every item is met once. */
#define SCATTER UINT64_C(1000003)

/* Times of the rows, in seconds since 1970: the years 2022 to 2024. */
#define FIRST_TIME INT64_C(1640995200)
#define TIME_SPAN (INT64_C(1096) * 86400)

typedef struct Parameters
{
	uint64_t	users;
	uint64_t	items;
	uint64_t	interactions;
	uint64_t	seed;
	uint64_t	columns;
	double		sigma;
	double		exponent;
	double		offset;
} Parameters;

typedef struct Interaction
{
	uint32_t	user;
	uint32_t	item;
} Interaction;

/* Walker's alias table: draws from any distribution in constant time. */
typedef struct Alias
{
	uint32_t	count;
	double	   *chance;			/* of keeping the slot that was hit */
	uint32_t   *other;			/* taken instead */
} Alias;

static uint64_t random_state;

static void
fail(const char *format,...)
{
	va_list		arguments;

	fputs("generate: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void *
allocate(size_t count, size_t size)
{
	void	   *memory = calloc(count > 0 ? count : 1, size);

	if (memory == NULL)
		fail("out of memory");
	return memory;
}

/* SplitMix64 */
static uint64_t
random_bits(void)
{
	uint64_t	z = (random_state += UINT64_C(0x9E3779B97F4A7C15));

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* In [0, 1) */
static double
random_fraction(void)
{
	return (double) (random_bits() >> 11) * 0x1p-53;
}

/* In [0, limit), limit at most 2^32 */
static uint32_t
random_below(uint64_t limit)
{
	return (uint32_t) (((random_bits() >> 32) * limit) >> 32);
}

/* Standard normal, by Box and Muller */
static double
random_normal(void)
{
	double		radius = sqrt(-2.0 * log(1.0 - random_fraction()));

	return radius * cos(2.0 * 3.14159265358979323846 * random_fraction());
}

static void
parse_arguments(int argc, char **argv, Parameters *parameters)
{
	struct
	{
		const char *name;
		uint64_t   *integer;
		double	   *real;
	}			known[] = {
		{"users", &parameters->users, NULL},
		{"items", &parameters->items, NULL},
		{"interactions", &parameters->interactions, NULL},
		{"seed", &parameters->seed, NULL},
		{"columns", &parameters->columns, NULL},
		{"sigma", NULL, &parameters->sigma},
		{"exponent", NULL, &parameters->exponent},
		{"offset", NULL, &parameters->offset}
	};
	const size_t nknown = sizeof(known) / sizeof(known[0]);

	for (int i = 1; i < argc; i++)
	{
		char	   *value = strchr(argv[i], '=');
		char	   *end = NULL;
		size_t		which = 0;

		if (value == NULL)
			fail("\"%s\" is not NAME=VALUE", argv[i]);
		*value++ = '\0';
		while (which < nknown && strcmp(known[which].name, argv[i]) != 0)
			which++;
		if (which == nknown)
			fail("there is no parameter \"%s\"", argv[i]);
		errno = 0;
		if (known[which].integer != NULL)
			*known[which].integer = strtoull(value, &end, 10);
		else
			*known[which].real = strtod(value, &end);
		if (errno != 0 || end == value || *end != '\0' || *value == '-')
			fail("\"%s\" is not a value for %s", value, argv[i]);
	}

	if (parameters->users < 1 || parameters->users > UINT32_MAX ||
		parameters->items < 3 || parameters->items > UINT32_MAX)
		fail("users and items must be from 3 to %" PRIu32, UINT32_MAX);
	if (parameters->interactions < parameters->users)
		fail("every user has at least one item");
	if (parameters->interactions > UINT32_MAX ||
		parameters->interactions / parameters->users >= parameters->items / 3)
		fail("that many interactions are more than a third of the items for every user");
	if (parameters->items % SCATTER == 0)
		fail("the number of items must not be a multiple of %" PRIu64, SCATTER);
	if (parameters->columns != 2 && parameters->columns != 4)
		fail("columns must be 2 or 4");
}

static uint32_t
activity(double factor, double raw, uint32_t limit)
{
	double		value = factor * raw;

	if (value < 1.0)
		return 1;
	return value > limit ? limit : (uint32_t) value;
}

static uint64_t
total_activity(const double *raw, uint64_t users, double factor, uint32_t limit)
{
	uint64_t	total = 0;

	for (uint64_t user = 0; user < users; user++)
		total += activity(factor, raw[user], limit);
	return total;
}

/* Number of items of every user, exactly parameters->interactions together. */
static uint32_t *
draw_activities(const Parameters *parameters)
{
	uint64_t	users = parameters->users;
	uint32_t	limit = (uint32_t) (parameters->items / 3);
	double	   *raw = allocate(users, sizeof(double));
	uint32_t   *degrees = allocate(users, sizeof(uint32_t));
	double		low = 0.0;
	double		high = 1.0;
	uint64_t	total = 0;

	for (uint64_t user = 0; user < users; user++)
		raw[user] = exp(parameters->sigma * random_normal());

	/* the largest factor whose sum is not above the target, by bisection */
	while (total_activity(raw, users, high, limit) <= parameters->interactions)
		high *= 2.0;
	for (int step = 0; step < 60; step++)
	{
		double		middle = (low + high) / 2.0;

		if (total_activity(raw, users, middle, limit) <= parameters->interactions)
			low = middle;
		else
			high = middle;
	}

	for (uint64_t user = 0; user < users; user++)
		total += degrees[user] = activity(low, raw[user], limit);
	while (total < parameters->interactions)
	{
		uint32_t	user = random_below(users);

		if (degrees[user] < limit)
		{
			degrees[user]++;
			total++;
		}
	}
	free(raw);
	return degrees;
}

static void
make_alias(Alias *alias, const Parameters *parameters)
{
	uint32_t	count = (uint32_t) parameters->items;
	double	   *share = allocate(count, sizeof(double));
	uint32_t   *small = allocate(count, sizeof(uint32_t));
	uint32_t   *large = allocate(count, sizeof(uint32_t));
	uint32_t	nsmall = 0;
	uint32_t	nlarge = 0;
	double		sum = 0.0;

	alias->count = count;
	alias->chance = allocate(count, sizeof(double));
	alias->other = allocate(count, sizeof(uint32_t));

	for (uint32_t rank = 0; rank < count; rank++)
		sum += share[rank] = pow(rank + 1.0 + parameters->offset, -parameters->exponent);
	for (uint32_t rank = 0; rank < count; rank++)
	{
		share[rank] *= count / sum;
		if (share[rank] < 1.0)
			small[nsmall++] = rank;
		else
			large[nlarge++] = rank;
	}
	while (nsmall > 0 && nlarge > 0)
	{
		uint32_t	less = small[--nsmall];
		uint32_t	more = large[nlarge - 1];

		alias->chance[less] = share[less];
		alias->other[less] = more;
		share[more] -= 1.0 - share[less];
		if (share[more] < 1.0)
		{
			nlarge--;
			small[nsmall++] = more;
		}
	}
	while (nlarge > 0)
		alias->chance[large[--nlarge]] = 1.0;
	while (nsmall > 0)
		alias->chance[small[--nsmall]] = 1.0;
	free(share);
	free(small);
	free(large);
}

static uint32_t
draw_rank(const Alias *alias)
{
	uint32_t	slot = random_below(alias->count);

	return random_fraction() < alias->chance[slot] ? slot : alias->other[slot];
}

/* The distinct items of every user, by user. */
static Interaction *
draw_interactions(const Parameters *parameters, const uint32_t *degrees)
{
	Interaction *rows = allocate(parameters->interactions, sizeof(Interaction));
	uint32_t   *seen = allocate(parameters->items, sizeof(uint32_t));	/* by user number + 1 */
	uint64_t	done = 0;
	Alias		alias;

	make_alias(&alias, parameters);
	for (uint32_t user = 0; user < parameters->users; user++)
	{
		uint64_t	tries = (uint64_t) degrees[user] * MAX_TRIES;

		for (uint32_t n = 0; n < degrees[user]; n++)
		{
			uint32_t	rank = draw_rank(&alias);

			while (seen[rank] == user + 1)
			{
				if (tries > 0)
				{
					tries--;
					rank = draw_rank(&alias);
				}
				else
					rank = (rank + 1) % alias.count;
			}
			seen[rank] = user + 1;
			rows[done].user = user;
			rows[done].item = (uint32_t) (rank * SCATTER % parameters->items);
			done++;
		}
	}
	free(alias.chance);
	free(alias.other);
	free(seen);
	return rows;
}

static void
shuffle(Interaction *rows, uint64_t count)
{
	for (uint64_t i = count; i > 1; i--)
	{
		uint32_t	swap = random_below(i);
		Interaction row = rows[i - 1];

		rows[i - 1] = rows[swap];
		rows[swap] = row;
	}
}

static char *
put_number(char *out, uint64_t number)
{
	char		digits[20];
	int			n = 0;

	do
	{
		digits[n++] = (char) ('0' + number % 10);
		number /= 10;
	} while (number > 0);
	while (n > 0)
		*out++ = digits[--n];
	return out;
}

static char *
put_two(char *out, int number, char after)
{
	*out++ = (char) ('0' + number / 10);
	*out++ = (char) ('0' + number % 10);
	*out++ = after;
	return out;
}

/* seconds only rise, so that the date is made once a day */
static char *
put_time(char *out, int64_t seconds)
{
	static int64_t day = -1;
	static char date[16];
	int			second = (int) (seconds % 86400);

	if (seconds / 86400 != day)
	{
		time_t		moment = (time_t) seconds;
		struct tm	parts;

		day = seconds / 86400;
		gmtime_r(&moment, &parts);
		strftime(date, sizeof(date), "%Y-%m-%d ", &parts);
	}
	memcpy(out, date, 11);
	out = put_two(out + 11, second / 3600, ':');
	out = put_two(out, second / 60 % 60, ':');
	out = put_two(out, second % 60, '+');
	*out++ = '0';
	*out++ = '0';
	return out;
}

static void
write_rows(const Parameters *parameters, const Interaction *rows)
{
	static char buffer[1 << 16];
	char	   *out = buffer;

	for (uint64_t i = 0; i < parameters->interactions; i++)
	{
		out = put_number(out, rows[i].user + 1);
		*out++ = '\t';
		out = put_number(out, rows[i].item + 1);
		if (parameters->columns == 4)
		{
			double		at = ((double) i + random_fraction()) / (double) parameters->interactions;
			int			quantity = 1;

			while (random_below(3) == 0)
				quantity++;
			*out++ = '\t';
			out = put_number(out, quantity);
			*out++ = '\t';
			out = put_time(out, FIRST_TIME + (int64_t) (at * TIME_SPAN));
		}
		*out++ = '\n';
		if (out - buffer > (long) sizeof(buffer) - 256 || i + 1 == parameters->interactions)
		{
			if (fwrite(buffer, 1, out - buffer, stdout) != (size_t) (out - buffer))
				fail("could not write: %s", strerror(errno));
			out = buffer;
		}
	}
	if (fflush(stdout) != 0)
		fail("could not write: %s", strerror(errno));
}

static int
compare_numbers(const void *a, const void *b)
{
	uint32_t	left = *(const uint32_t *) a;
	uint32_t	right = *(const uint32_t *) b;

	return (left > right) - (left < right);
}

/* Share of the rows, in percent, that the upper part of sorted counts holds. */
static double
top_share(const uint32_t *sorted, uint64_t count, uint64_t part, uint64_t total)
{
	uint64_t	sum = 0;

	for (uint64_t i = count - part; i < count; i++)
		sum += sorted[i];
	return 100.0 * (double) sum / (double) total;
}

static void
report(const Parameters *parameters, uint32_t *degrees, const Interaction *rows)
{
	uint64_t	users = parameters->users;
	uint64_t	items = parameters->items;
	uint64_t	total = parameters->interactions;
	uint32_t   *popularity = allocate(items, sizeof(uint32_t));
	uint64_t	pairs = 0;
	uint64_t	unused = 0;

	for (uint64_t i = 0; i < total; i++)
		popularity[rows[i].item]++;
	for (uint64_t user = 0; user < users; user++)
		pairs += (uint64_t) degrees[user] * degrees[user];
	qsort(degrees, users, sizeof(uint32_t), compare_numbers);
	qsort(popularity, items, sizeof(uint32_t), compare_numbers);
	while (unused < items && popularity[unused] == 0)
		unused++;

	fprintf(stderr, "users %" PRIu64 ", items %" PRIu64 " (%" PRIu64 " never used), interactions %" PRIu64
			", seed %" PRIu64 "\n", users, items, unused, total, parameters->seed);
	fprintf(stderr, "items a user: mean %.1f, median %" PRIu32 ", p90 %" PRIu32 ", p99 %" PRIu32 ", most %" PRIu32
			"; sum of squares %.3e\n", (double) total / (double) users, degrees[users / 2],
			degrees[users * 90 / 100], degrees[users * 99 / 100], degrees[users - 1], (double) pairs);
	fprintf(stderr, "users an item: mean %.1f, median %" PRIu32 ", p90 %" PRIu32 ", p99 %" PRIu32 ", most %" PRIu32
			"; the upper 1 %% hold %.1f %%, the upper 10 %% hold %.1f %% of the rows\n",
			(double) total / (double) items, popularity[items / 2], popularity[items * 90 / 100],
			popularity[items * 99 / 100], popularity[items - 1],
			top_share(popularity, items, items / 100, total), top_share(popularity, items, items / 10, total));
	free(popularity);
}

int
main(int argc, char **argv)
{
	Parameters	parameters = {138000, 27000, 10000000, 1, 2, 1.1, 1.2, 50.0};
	uint32_t   *degrees;
	Interaction *rows;

	parse_arguments(argc, argv, &parameters);
	random_state = parameters.seed;
	degrees = draw_activities(&parameters);
	rows = draw_interactions(&parameters, degrees);
	shuffle(rows, parameters.interactions);
	write_rows(&parameters, rows);
	report(&parameters, degrees, rows);
	free(rows);
	free(degrees);
	return 0;
}
