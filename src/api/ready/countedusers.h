/*
 * countedusers.h
 *	  Which users count for a trend, where the profiles of a shop say so.
 */
#ifndef RECSYS_COUNTEDUSERS_H
#define RECSYS_COUNTEDUSERS_H

#include "postgres.h"

#include "api/declare/shop.h"
#include "api/ready/burstcount.h"
#include "core/rows/key.h"

/*
 * Counts the users of a segment, without those who are excluded; with segment NULL takes those who
 * are excluded away from all, who have been counted.  Call between SPI_connect and SPI_finish.
 */
extern void RecsysCountProfiles(RecsysBurstCount *count, RecsysShop *shop, RecsysKeyKind kind,
								const char *segment);

#endif							/* RECSYS_COUNTEDUSERS_H */
