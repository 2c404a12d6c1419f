/*
 * jsonwalk.h
 *	  A JSON document and the tree of paths, gone along together.
 */
#ifndef RECSYS_JSONWALK_H
#define RECSYS_JSONWALK_H

#include "postgres_fe.h"

#include "pqexpbuffer.h"
#include "stream/record/pathtree.h"

/*
 * Fills the tree's slots from text, which is valid UTF-8.  False: reason tells what is wrong with it; what
 * is "payload" or "key".  name is for names with escapes.
 */
extern bool RecsysJsonWalk(RecsysPathTree *tree, const char *text, size_t length, const char *what,
						   PQExpBuffer name, PQExpBuffer reason);

#endif							/* RECSYS_JSONWALK_H */
