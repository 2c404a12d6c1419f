/*
 * unitplace.h
 *	  Where a user or a session stands: a number that is as good as drawn, and always the same.
 */
#ifndef RECSYS_UNITPLACE_H
#define RECSYS_UNITPLACE_H

#include "core/base/platform.h"

/* What is decided by it: places of different purposes have nothing to do with one another. */
typedef enum RecsysPlacePurpose
{
	RECSYS_PLACE_VARIANT = 'v', /* which variant of an experiment; name: its salt */
	RECSYS_PLACE_LAYER = 'l',	/* which experiment of a layer, or none; name: the layer */
	RECSYS_PLACE_PART = 'p',	/* whether in an experiment without a layer; name: its salt */
	RECSYS_PLACE_DRAFT = 'd'	/* who chooses first; name: the salt */
} RecsysPlacePurpose;

/*
 * 64 bits of hash; the same on every machine and for every version of the server: experiments
 * go on when a database moves.  Must never change.
 */
extern uint64 RecsysUnitHash(RecsysPlacePurpose purpose, const char *name, const char *unit);

/* 0 <= place < 1, one of 2^53 equally likely numbers */
extern double RecsysUnitPlace(RecsysPlacePurpose purpose, const char *name, const char *unit);

#endif							/* RECSYS_UNITPLACE_H */
