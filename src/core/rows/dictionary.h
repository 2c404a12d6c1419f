/*
 * dictionary.h
 *	  Keys to dense numbers 0, 1, 2, … in order of first appearance.
 */
#ifndef RECSYS_DICTIONARY_H
#define RECSYS_DICTIONARY_H

#include "core/rows/key.h"

typedef struct RecsysDictionary RecsysDictionary;

/* Lives in the current memory context; seed is that of RecsysKeyHash. */
extern RecsysDictionary *RecsysDictionaryCreate(RecsysKeyKind kind, uint64 seed);
extern void RecsysDictionaryFree(RecsysDictionary *dict);

/* The number of key, entering a copy of it when it is new. */
extern uint32 RecsysDictionaryIntern(RecsysDictionary *dict, const RecsysKey *key);

/* The number of key, or RECSYS_NONE. */
extern uint32 RecsysDictionaryFind(const RecsysDictionary *dict, const RecsysKey *key);

extern uint32 RecsysDictionaryCount(const RecsysDictionary *dict);

/* Key and hash of a number; byte strings point into the dictionary. */
extern void RecsysDictionaryKey(const RecsysDictionary *dict, uint32 number, RecsysKey *key);
extern uint64 RecsysDictionaryHash(const RecsysDictionary *dict, uint32 number);

/* Bytes of memory held now, and what the next growth step will need at its peak. */
extern Size RecsysDictionaryMemory(const RecsysDictionary *dict);
extern Size RecsysDictionaryGrowth(const RecsysDictionary *dict);

/* Palloc'd array: numbers in ascending order of their keys. */
extern uint32 *RecsysDictionarySorted(const RecsysDictionary *dict);

/* Palloc'd array: numbers in ascending order of (hash, key). */
extern uint32 *RecsysDictionaryHashOrder(const RecsysDictionary *dict);

#endif							/* RECSYS_DICTIONARY_H */
