/*
 * shown.h
 *	  What a user has been shown lately and has never taken, as the log says.
 */
#ifndef RECSYS_SHOWN_H
#define RECSYS_SHOWN_H

#include "postgres.h"

/* Of one user so many requests are looked at, the latest ones. */
#define RECSYS_SHOWN_REQUESTS 200

/* An item of which no click, cart or purchase is known in those requests */
typedef struct RecsysShownItem
{
	char	   *item;			/* key as text, as the log has it: whatever was logged */
	double		impressions;	/* each as RecsysImpressionWeight has it for its place */
} RecsysShownItem;

/*
 * user is a key as text, as it is in the shop; window an interval.  What counts are lists made by
 * the recommender of that name, by declared ones over the same items (items: as their definition
 * has the table, NULL: none is declared), and by the index of that name.  *shown in the current
 * memory context; returns how many there are, in no order.  SPI may be connected or not.
 */
extern int	RecsysShownLately(const char *user, const char *window, const char *recommender,
							  const char *items, const char *index, RecsysShownItem **shown);

#endif							/* RECSYS_SHOWN_H */
