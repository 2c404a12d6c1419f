/*
 * audienceusers.h
 *	  Who may be part of an audience: by the profiles, and by the life cycle.
 */
#ifndef RECSYS_AUDIENCEUSERS_H
#define RECSYS_AUDIENCEUSERS_H

#include "postgres.h"

#include "api/call/recommender.h"
#include "api/declare/shop.h"
#include "core/rows/history.h"
#include "core/rows/key.h"

typedef struct RecsysAudienceUsers RecsysAudienceUsers;

/*
 * Reads the profiles with the caller's rights; segment is one of any size, a persona, or
 * NULL for everybody.  In the current memory context.
 */
extern RecsysAudienceUsers *RecsysReadAudienceUsers(RecsysShop *shop,
													const RecsysRecommender *events, const char *segment);

/* May this user, who has left these rows, be written to? */
extern bool RecsysIsInAudience(const RecsysAudienceUsers *users, const RecsysKey *user,
							   const RecsysInteraction *rows, int nrows);

#endif							/* RECSYS_AUDIENCEUSERS_H */
