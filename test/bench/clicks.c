/*
 * clicks.c
 *	  Generates clicks of a shop's visitors, in the order of their times.
 *
 *		clicks clicks=10000000 items=100000 seed=1 >FILE
 *
 * Writes lines "session, item, time" for COPY.  Items are as popular as Zipf-Mandelbrot says.
 * A session has 2 to 20 clicks, few of them many; after a click come, by chance, an item that is
 * near it in a list without an order, one that the session has seen before, or any item.  Some
 * hundred sessions are open at a time, so that their clicks are interleaved as they are in a
 * shop; five clicks come in a second.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPEN 400
#define MOST 20

/* How popular items are: (rank + OFFSET)^-EXPONENT */
#define EXPONENT 1.0
#define OFFSET 20.0

typedef struct Session
{
	long		id;
	int			left;
	int			count;
	int			items[MOST];
} Session;

static uint64_t state;
static double *shares;			/* cumulated */
static int *list;				/* items in the order in which they are near each other */
static int *places;				/* and where they stand in it */
static int	nitems = 100000;

/* splitmix64 (Steele, Lea and Flood 2014) */
static uint64_t
draw(void)
{
	uint64_t	x = (state += 0x9E3779B97F4A7C15u);

	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
	return x ^ (x >> 31);
}

static double
uniform(void)
{
	return (draw() >> 11) * 0x1.0p-53;
}

static int
any_item(void)
{
	double		u = uniform() * shares[nitems - 1];
	int			low = 0;
	int			high = nitems - 1;

	while (low < high)
	{
		int			middle = (low + high) / 2;

		if (shares[middle] < u)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Items of all popularities are near each other. */
static int
near_item(int item)
{
	return list[(places[item] + 1 + (int) (uniform() * uniform() * 12)) % nitems];
}

static void
make_items(void)
{
	double		sum = 0;

	shares = malloc(sizeof(double) * nitems);
	list = malloc(sizeof(int) * nitems);
	places = malloc(sizeof(int) * nitems);
	for (int i = 0; i < nitems; i++)
	{
		int			other = (int) (draw() % (i + 1));

		shares[i] = sum += pow(i + OFFSET, -EXPONENT);
		list[i] = list[other];
		list[other] = i;
	}
	for (int place = 0; place < nitems; place++)
		places[list[place]] = place;
}

static int
next_item(const Session *session)
{
	double		chance = uniform();

	if (session->count == 0 || chance < 0.15)
		return any_item();
	if (chance < 0.4)
		return session->items[(int) (uniform() * session->count)];
	return near_item(session->items[session->count - 1]);
}

int
main(int argc, char **argv)
{
	static Session open[OPEN];
	long		clicks = 10000000;
	long		sessions = 0;

	for (int i = 1; i < argc; i++)
	{
		if (strncmp(argv[i], "clicks=", 7) == 0)
			clicks = atol(argv[i] + 7);
		else if (strncmp(argv[i], "items=", 6) == 0)
			nitems = atoi(argv[i] + 6);
		else if (strncmp(argv[i], "seed=", 5) == 0)
			state = (uint64_t) atoll(argv[i] + 5);
	}
	if (nitems < 1 || clicks < 1)
		return 2;
	make_items();
	for (long click = 0; click < clicks; click++)
	{
		Session    *session = &open[draw() % OPEN];

		if (session->left == 0)
		{
			session->id = ++sessions;
			session->left = 2 + (int) ((MOST - 1) * pow(uniform(), 3));
			session->count = 0;
		}
		session->items[session->count] = next_item(session);
		printf("%ld\t%d\t%ld\n", session->id, session->items[session->count] + 1, 1700000000 + click / 5);
		session->count++;
		session->left--;
	}
	return 0;
}
