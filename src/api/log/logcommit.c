/*
 * logcommit.c
 *	  A transaction that does nothing but log does not wait for the disk.
 *
 * A list takes some hundred microseconds, and a disk some milliseconds to say that a commit is
 * safe.  If every logged list waited for that, logging would cost the shop most of its throughput,
 * for rows of which a crash may well take the last half second: figures do not change by it, and
 * nothing of the shop's own depends on them.  So such a transaction commits as with
 * synchronous_commit = off: it is atomic, and others see it at once, but after a crash of the server
 * it may not have happened.  recsys.synchronous_log = on makes it wait like any other.
 *
 * It must be certain that nobody loses anything else.  A transaction that has no number yet has
 * written nothing that could be lost.  From then on the end of the last WAL record that it has
 * written is remembered behind each write of the log; if it is another one before the next write, or
 * when the transaction commits, somebody else has written too, and the commit waits as the
 * session's settings say.  Pruning a page on the way does that as well, which costs a wait, no more.
 * Triggers and rules that somebody has put on the log write what they like, so where there are some
 * it always waits.
 */
#include "postgres.h"

#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xlogdefs.h"
#include "api/log/logcommit.h"
#include "utils/guc.h"

static bool synchronous_log = false;

/* Of the current transaction: it has written nothing but the log, up to there */
static bool nothing_else = false;
static TransactionId written_by = InvalidTransactionId;
static XLogRecPtr written_to = InvalidXLogRecPtr;

static bool
is_only_log(void)
{
	return nothing_else && TransactionIdIsValid(written_by) &&
		TransactionIdEquals(written_by, GetTopTransactionIdIfAny()) && written_to == XactLastRecEnd;
}

void
RecsysBeginLogWrite(void)
{
	nothing_else = !TransactionIdIsValid(GetTopTransactionIdIfAny()) || is_only_log();
}

void
RecsysEndLogWrite(void)
{
	written_by = GetTopTransactionIdIfAny();
	written_to = XactLastRecEnd;
}

void
RecsysLogWritesMore(void)
{
	nothing_else = false;
}

static void
before_commit(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_PRE_COMMIT && !synchronous_log &&
		synchronous_commit > SYNCHRONOUS_COMMIT_OFF && is_only_log())
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_LOCAL, true, 0, false);
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		nothing_else = false;
}

void
RecsysInitLogCommit(void)
{
	DefineCustomBoolVariable("recsys.synchronous_log",
							 "Transactions that only log wait until they are safe, as others do.",
							 "Off, a crash of the server may take the last half second of the log.",
							 &synchronous_log, false, PGC_USERSET, 0, NULL, NULL, NULL);
	RegisterXactCallback(before_commit, NULL);
}
