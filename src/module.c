/*
 * module.c
 *	  The library's initialisation.
 */
#include "postgres.h"

#include "am/altered.h"
#include "am/merge.h"
#include "am/options.h"
#include "api/itemset_scan.h"
#include "api/mining.h"
#include "fault.h"
#include "fmgr.h"
#include "source/slowblas.h"
#include "worker/worker.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	RecsysInitOptions();
	RecsysInitAltered();
	RecsysInitMerge();
	RecsysInitMining();
	RecsysInitItemsetScan();
	RecsysInitSlowBlas();
	RecsysInitFaults();
	RecsysInitWorker();
}
