/*
 * requestdocument.h
 *	  A request as one JSON document: from a standby, by way of the application, to the primary.
 *
 * Its fields are the columns of recsys.request_log; what is not known is left out.
 */
#ifndef RECSYS_REQUESTDOCUMENT_H
#define RECSYS_REQUESTDOCUMENT_H

#include "postgres.h"

#include "api/keep/request.h"
#include "utils/jsonb.h"

extern Jsonb *RecsysRequestDocument(const RecsysRequest *request);

/* Errors out, naming the field, on what is no such document. */
extern void RecsysReadRequestDocument(Jsonb *document, RecsysRequest *request);

#endif							/* RECSYS_REQUESTDOCUMENT_H */
