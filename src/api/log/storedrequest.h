/*
 * storedrequest.h
 *	  A request that is in the log.
 */
#ifndef RECSYS_STOREDREQUEST_H
#define RECSYS_STOREDREQUEST_H

#include "postgres.h"

#include "api/keep/request.h"

/*
 * The request as it was logged, user and session as pseudonyms where the log has those, in the
 * current memory context.  Sees what is committed now, and what this transaction has written.
 * False if it is not there.
 */
extern bool RecsysFindStored(const pg_uuid_t *id, RecsysRequest *request);

#endif							/* RECSYS_STOREDREQUEST_H */
