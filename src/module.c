/*
 * module.c
 *	  The library's initialisation.
 */
#include "postgres.h"

#include "am/entry/altered.h"
#include "am/items/itemsoptions.h"
#include "am/merge/merge.h"
#include "am/merge/retraincost.h"
#include "am/store/options.h"
#include "am/whole/adopt.h"
#include "am/whole/attached.h"
#include "am/whole/noticed.h"
#include "am/write/statement.h"
#include "api/basket/basket_mining.h"
#include "api/basket/itemset_scan.h"
#include "api/log/logcommit.h"
#include "fault.h"
#include "fmgr.h"
#include "source/train/slowblas.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	RecsysInitOptions();
	RecsysInitItemsOptions();
	RecsysInitAltered();
	RecsysInitMerge();
	RecsysInitRetrain();
	RecsysInitAdopt();
	RecsysInitStatements();
	RecsysInitAttached();
	RecsysInitNoticed();
	RecsysInitMining();
	RecsysInitItemsetScan();
	RecsysInitLogCommit();
	RecsysInitSlowBlas();
	RecsysInitFaults();
	RecsysInitWorker();
}
