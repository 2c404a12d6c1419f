/*
 * itemstext.h
 *	  A text attribute of items, as it is written: the index keeps hashes of its words only.
 */
#ifndef RECSYS_ITEMSTEXT_H
#define RECSYS_ITEMSTEXT_H

#include "am/items/itemsread.h"

typedef struct RecsysItemsText RecsysItemsText;

/* In the current memory context; the reader may be replaced by another one of the same index. */
extern RecsysItemsText *RecsysItemsTextCreate(Relation heap, Relation index, int attribute,
											  Snapshot snapshot);
extern void RecsysItemsTextFree(RecsysItemsText *texts);

/*
 * In lower case, palloc'd; NULL where it is NULL or the snapshot sees no row of the item.  An
 * expression is evaluated with the rights of the table's owner.
 */
extern char *RecsysItemsTextOf(RecsysItemsText *texts, RecsysItemsReader *reader, uint32 item);

#endif							/* RECSYS_ITEMSTEXT_H */
