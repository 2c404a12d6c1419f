/*
 * textarena.c
 *	  Texts that live until the next message: blocks of memory, filled one after the other.
 */
#include "stream/record/textarena.h"

#define BLOCK_SIZE ((size_t) 64 * 1024)

typedef struct Block
{
	struct Block *next;
	size_t		size;
	size_t		used;
	char		bytes[FLEXIBLE_ARRAY_MEMBER];
} Block;

struct RecsysTextArena
{
	Block	   *blocks;			/* the one that is being filled is the first */
};

RecsysTextArena *
RecsysTextArenaCreate(void)
{
	return pg_malloc0(sizeof(RecsysTextArena));
}

void
RecsysTextArenaFree(RecsysTextArena *arena)
{
	if (arena == NULL)
		return;
	while (arena->blocks != NULL)
	{
		Block	   *block = arena->blocks;

		arena->blocks = block->next;
		pg_free(block);
	}
	pg_free(arena);
}

/* One block is kept, unless it is a large one. */
void
RecsysTextArenaReset(RecsysTextArena *arena)
{
	Block	   *kept = NULL;

	while (arena->blocks != NULL)
	{
		Block	   *block = arena->blocks;

		arena->blocks = block->next;
		if (kept == NULL && block->size == BLOCK_SIZE)
			kept = block;
		else
			pg_free(block);
	}
	if (kept != NULL)
	{
		kept->next = NULL;
		kept->used = 0;
	}
	arena->blocks = kept;
}

char *
RecsysTextArenaTake(RecsysTextArena *arena, size_t size)
{
	Block	   *block = arena->blocks;

	if (block == NULL || block->size - block->used < size)
	{
		size_t		room = Max(size, BLOCK_SIZE);

		block = pg_malloc(offsetof(Block, bytes) + room);
		block->size = room;
		block->used = 0;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	block->used += size;
	return block->bytes + block->used - size;
}

char *
RecsysTextArenaCopy(RecsysTextArena *arena, const char *text, size_t length)
{
	char	   *copy = RecsysTextArenaTake(arena, length);

	memcpy(copy, text, length);
	return copy;
}
