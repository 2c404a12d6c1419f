/*
 * titlelikeness.h
 *	  Titles that have most of their words in common.
 */
#ifndef RECSYS_TITLELIKENESS_H
#define RECSYS_TITLELIKENESS_H

#include "core/arrange/titletexts.h"

/*
 * groups: by title; those that are RECSYS_NONE are compared with each other and get theirs,
 * the smallest title of the group, which may be one alone.
 */
extern void RecsysGroupAlike(const RecsysTitleTexts *texts, uint32 *groups);

#endif							/* RECSYS_TITLELIKENESS_H */
