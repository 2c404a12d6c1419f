/*
 * catalogue.h
 *	  One numbering of items for all that a declared recommender is made of.
 *
 * Each index numbers items for itself, tables have keys only.  A slot is a number that a
 * session gives to an item's key when it meets it; a map from an index's numbers to slots
 * is filled as its items come up.  Slots live as long as the session's shop; maps are for
 * one build of an index, whose numbers never change meaning.
 */
#ifndef RECSYS_CATALOGUE_H
#define RECSYS_CATALOGUE_H

#include "postgres.h"

#include "am/graph/graph.h"
#include "api/declare/shop.h"
#include "core/rows/key.h"
#include "core/rows/keyorder.h"

typedef struct RecsysCatalogue RecsysCatalogue;
typedef struct RecsysItemMap RecsysItemMap;

/* The shop's; kind is that of its first signal's items. */
extern RecsysCatalogue *RecsysGetCatalogue(RecsysShop *shop, RecsysKeyKind kind);

/*
 * The same for the items of signals that are not those recommended: searched words, brands, pages.
 * One for each kind of keys: they are looked up in graphs, and what they are called elsewhere does
 * not matter.
 */
extern RecsysCatalogue *RecsysGetOtherCatalogue(RecsysShop *shop, RecsysKeyKind kind);

extern uint32 RecsysCatalogueCount(const RecsysCatalogue *catalogue);
extern RecsysKeyKind RecsysCatalogueKind(const RecsysCatalogue *catalogue);

/* The slot of a key, a new one if need be; RECSYS_NONE from Find if it has none. */
extern uint32 RecsysCatalogueSlot(RecsysCatalogue *catalogue, const RecsysKey *key);
extern uint32 RecsysCatalogueFind(const RecsysCatalogue *catalogue, const RecsysKey *key);

/* The key of a slot; good until the next slot is made. */
extern void RecsysCatalogueKey(const RecsysCatalogue *catalogue, uint32 slot, RecsysKey *key);

/* The order of keys, to break ties between slots */
extern RecsysKeyOrder RecsysCatalogueOrder(const RecsysCatalogue *catalogue);

/* The map of an index's item numbers, made anew when the index has been rebuilt. */
extern RecsysItemMap *RecsysCatalogueMap(RecsysCatalogue *catalogue, Relation index);

/* The slot of an index's item.  No page of the index may be locked by the caller. */
extern uint32 RecsysMapSlot(RecsysItemMap *map, RecsysGraphReader *reader, uint32 item);

/* The slots of the index's items 0 .. *count - 1 that have come up; good until the next one does. */
extern const uint32 *RecsysMapSlots(const RecsysItemMap *map, uint32 *count);

/* The number that the index has for a slot's item, or RECSYS_NONE. */
extern uint32 RecsysMapNumber(RecsysItemMap *map, Relation index, uint32 slot);

#endif							/* RECSYS_CATALOGUE_H */
