/*
 * requestcontext.h
 *	  The context argument: what a call says beside the user.
 *
 *	  {"cart": [1001], "recently_viewed": [77, 78], "exclude": [5], "filter": {"max_price": 30},
 *	   "segment": "DE30-39"}
 */
#ifndef RECSYS_REQUESTCONTEXT_H
#define RECSYS_REQUESTCONTEXT_H

#include "postgres.h"

#include "core/rows/key.h"
#include "datatype/timestamp.h"
#include "utils/jsonb.h"

typedef enum RecsysComparison
{
	RECSYS_EQUAL,				/* "color": "red", or one of several: "color": ["red", "blue"] */
	RECSYS_AT_MOST,				/* "max_price": 30 */
	RECSYS_AT_LEAST				/* "min_price": 10 */
} RecsysComparison;

/* A condition on a column of the items' table */
typedef struct RecsysContextFilter
{
	char	   *column;			/* as written, not quoted */
	RecsysComparison comparison;
	char	  **values;			/* as text, to be read as the column's type; NULL elements stand for null */
	int			nvalues;
} RecsysContextFilter;

typedef struct RecsysContext
{
	RecsysKey  *cart;			/* each like an interaction of now; not recommended */
	int			ncart;
	RecsysKey  *viewed;			/* each like half an interaction; the last one last */
	int			nviewed;
	RecsysKey  *exclude;
	int			nexclude;
	RecsysContextFilter *filters;	/* sorted by column and comparison */
	int			nfilters;
	char	   *segment;		/* instead of the profile's smallest one; NULL: that of the profile */

	/* not in the argument: rows later than that are not looked at; NULL: all are */
	const TimestampTz *until;

	/* likewise: an item that is held out, of which the first signal knows nothing; NULL: none */
	const RecsysKey *held_out;
	const bool *held_out_of;	/* by signals: these know nothing of it, either; NULL: all others do */
} RecsysContext;

/*
 * Reads it; json NULL gives an empty one.  item_type is the type of item keys, see
 * RecsysKeyFromText.  Errors out on words that it does not know, naming the nearest one.
 */
extern RecsysContext *RecsysContextRead(Jsonb *json, Oid item_type);

#endif							/* RECSYS_REQUESTCONTEXT_H */
