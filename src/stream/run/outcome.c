/*
 * outcome.c
 *	  What an error of the server means for a stream: see outcome.h.
 *
 * What is not known is the environment's: then nothing is lost or rejected, the stream waits, tries again
 * and shows the message.
 */
#include "postgres_fe.h"

#include "stream/run/outcome.h"

static bool
has_class(const char *sqlstate, const char *classes)
{
	for (; *classes != '\0'; classes += 2)
		if (strncmp(sqlstate, classes, 2) == 0)
			return true;
	return false;
}

RecsysOutcome
RecsysRowsOutcome(const char *sqlstate)
{
	/*
	 * cardinality, data, constraints, WITH CHECK OPTION, program limits (an index row that is too large),
	 * RAISE and external routines: what triggers say of a row
	 */
	if (has_class(sqlstate, "2122234454P03839"))
		return RECSYS_OUTCOME_MESSAGE;
	/* what tsvector, tsquery, jsonpath and ltree say of a value; statements were parsed when declared */
	if (strcmp(sqlstate, "42601") == 0)
		return RECSYS_OUTCOME_MESSAGE;
	/* a serialization failure of a trigger's: no fence has been asked yet */
	if (strcmp(sqlstate, "40001") == 0)
		return RECSYS_OUTCOME_ENVIRONMENT;
	return RecsysCallOutcome(sqlstate);
}

RecsysOutcome
RecsysCallOutcome(const char *sqlstate)
{
	if (strcmp(sqlstate, "40001") == 0)
		return RECSYS_OUTCOME_FENCED;
	/* a table, column, right or schema that is missing; what cannot be done there; what the calls refuse */
	if (has_class(sqlstate, "420A3F222344P03839"))
		return RECSYS_OUTCOME_DECLARATION;
	return RECSYS_OUTCOME_ENVIRONMENT;
}
