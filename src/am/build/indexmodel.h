/*
 * indexmodel.h
 *	  The model that an index is trained with, and what it says of an item alone.
 */
#ifndef RECSYS_INDEXMODEL_H
#define RECSYS_INDEXMODEL_H

#include "am/store/graphrow.h"
#include "source/train/historystore.h"

/*
 * A model for the options, which takes interactions of an index with that meta page; latest is the
 * time that decay counts from, RECSYS_NO_TIME for none.  See RecsysModelCreate for the rest.
 */
extern RecsysModel *RecsysIndexModelCreate(const RecsysMetaData *meta,
										   const RecsysModelOptions *options, int64 latest,
										   uint32 nitems, Size memory, bool on_disk, int nworkers);

/* While rows are reported: what the item's has beside its neighbors. */
extern void RecsysIndexModelTotals(const RecsysModel *model, bool learned, uint32 item,
								   RecsysRowTotals *row);

#endif							/* RECSYS_INDEXMODEL_H */
