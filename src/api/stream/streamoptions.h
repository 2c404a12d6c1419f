/*
 * streamoptions.h
 *	  Options of a declaration: those of librdkafka, and those of the format.
 */
#ifndef RECSYS_STREAMOPTIONS_H
#define RECSYS_STREAMOPTIONS_H

#include "postgres.h"

#include "utils/jsonb.h"

/* Errors out on what does not belong into a declaration. */
extern void RecsysCheckBrokerConfig(const char *stream, Jsonb *definition);
extern void RecsysCheckFormatOptions(Jsonb *definition);

#endif							/* RECSYS_STREAMOPTIONS_H */
