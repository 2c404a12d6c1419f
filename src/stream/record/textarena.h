/*
 * textarena.h
 *	  Texts that live until the next message.
 */
#ifndef RECSYS_TEXTARENA_H
#define RECSYS_TEXTARENA_H

#include "postgres_fe.h"

typedef struct RecsysTextArena RecsysTextArena;

extern RecsysTextArena *RecsysTextArenaCreate(void);
extern void RecsysTextArenaFree(RecsysTextArena *arena);

/* All of its texts are forgotten; most of the memory is kept. */
extern void RecsysTextArenaReset(RecsysTextArena *arena);

extern char *RecsysTextArenaTake(RecsysTextArena *arena, size_t size);
extern char *RecsysTextArenaCopy(RecsysTextArena *arena, const char *text, size_t length);

#endif							/* RECSYS_TEXTARENA_H */
