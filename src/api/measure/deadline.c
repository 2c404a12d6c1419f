/*
 * deadline.c
 *	  Work that is interrupted at a given time.
 *
 * A timeout of the server's own kind cancels the query, which every loop and every
 * wait looks out for.  Whoever has begun the deadline catches the error and goes on.
 *
 * If the user cancels between the deadline and the error, the two cannot be told apart.
 * It counts as the deadline: the work ends either way.
 */
#include "postgres.h"

#include <signal.h>

#include "api/measure/deadline.h"
#include "miscadmin.h"
#include "utils/timeout.h"

static TimeoutId timeout = MAX_TIMEOUTS;	/* none registered yet */
static volatile sig_atomic_t waiting = false;
static volatile sig_atomic_t reached = false;

/* Runs in the signal handler. */
static void
cancel_work(void)
{
	if (!waiting)
		return;
	reached = true;
	InterruptPending = true;
	QueryCancelPending = true;
}

void
RecsysDeadlineBegin(TimestampTz at)
{
	if (timeout == MAX_TIMEOUTS)
		timeout = RegisterTimeout(USER_TIMEOUT, cancel_work);
	reached = false;
	waiting = true;
	enable_timeout_at(timeout, at);
}

bool
RecsysDeadlineReached(void)
{
	return reached;
}

void
RecsysDeadlineEnd(void)
{
	waiting = false;
	disable_timeout(timeout, false);

	/* work that was done just in time must not leave a cancellation behind */
	if (reached)
		QueryCancelPending = false;
	reached = false;
}
