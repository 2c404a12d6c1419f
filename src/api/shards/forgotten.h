/*
 * forgotten.h
 *	  Who was forgotten by distributed recommenders.
 */
#ifndef RECSYS_FORGOTTEN_H
#define RECSYS_FORGOTTEN_H

#include "postgres.h"

#include "api/call/distributed.h"
#include "core/rows/key.h"
#include "datatype/timestamp.h"
#include "utils/uuid.h"

/* The hash that recsys.forgotten has of a user */
extern void RecsysForgottenHash(const RecsysDistributed *distributed, RecsysKeyKind kind,
								const RecsysKey *user, pg_uuid_t *hash);

/* Was the user forgotten?  Then until gets the time up to which. */
extern bool RecsysWasForgotten(const RecsysDistributed *distributed, RecsysKeyKind kind,
							   const RecsysKey *user, TimestampTz *until);

/* Is anybody forgotten by a distributed recommender at all? */
extern bool RecsysSomebodyForgotten(void);

#endif							/* RECSYS_FORGOTTEN_H */
