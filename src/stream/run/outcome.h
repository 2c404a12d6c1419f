/*
 * outcome.h
 *	  What an error of the server means for a stream: whose fault it is, by its SQLSTATE.
 */
#ifndef RECSYS_OUTCOME_H
#define RECSYS_OUTCOME_H

typedef enum RecsysOutcome
{
	RECSYS_OUTCOME_DONE,
	RECSYS_OUTCOME_MESSAGE,		/* a message's: it will fail each time; the others are not to wait for it */
	RECSYS_OUTCOME_DECLARATION, /* the declaration's, or the target's: nothing can be written until it changes */
	RECSYS_OUTCOME_FENCED,		/* somebody else has the partition, or it stands elsewhere than expected */
	RECSYS_OUTCOME_ENVIRONMENT, /* nobody's: disk full, lock timeout, deadlock; it is rolled back, to be tried again */
	RECSYS_OUTCOME_LOST			/* the connection is gone: whether a COMMIT under way was made is not known */
} RecsysOutcome;

/* of a statement that writes rows of messages; never DONE, FENCED or LOST */
extern RecsysOutcome RecsysRowsOutcome(const char *sqlstate);

/* of a call of the program's own functions: no message has part in it; never DONE, MESSAGE or LOST */
extern RecsysOutcome RecsysCallOutcome(const char *sqlstate);

#endif							/* RECSYS_OUTCOME_H */
