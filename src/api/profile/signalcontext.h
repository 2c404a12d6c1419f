/*
 * signalcontext.h
 *	  Which signal an error comes from, and how to do without it.
 */
#ifndef RECSYS_SIGNALCONTEXT_H
#define RECSYS_SIGNALCONTEXT_H

#include "postgres.h"

#include "api/declare/shop.h"

typedef struct RecsysSignalContext
{
	ErrorContextCallback callback;
	RecsysShop *shop;
	const RecsysSignal *signal;
	const char *relation;		/* its events or its graph: what is not as it was */
} RecsysSignalContext;

/* Errors between the two name the signal; an error ends it, too. */
extern void RecsysBeginSignal(RecsysSignalContext *context, RecsysShop *shop,
							  const RecsysSignal *signal, const char *relation);
extern void RecsysEndSignal(RecsysSignalContext *context);

#endif							/* RECSYS_SIGNALCONTEXT_H */
