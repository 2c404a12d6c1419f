/*
 * upkeepsteps.c
 *	  Steps of recsys.maintain: each goes through or leaves no trace, and none stops the others.
 */
#include "postgres.h"

#include "api/call/guard.h"
#include "api/upkeep/upkeepsteps.h"
#include "utils/builtins.h"
#include "utils/guc.h"

/* How long others may have to wait behind a lock that is not to be had */
#define LOCK_WAIT "200ms"

static void
put_text(Datum *values, bool *isnull, int column, const char *text)
{
	isnull[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

void
RecsysUpkeepPut(RecsysUpkeep *upkeep, const char *action, const char *object, const char *detail)
{
	Datum		values[3];
	bool		isnull[3];

	put_text(values, isnull, 0, action);
	put_text(values, isnull, 1, object);
	put_text(values, isnull, 2, detail);
	tuplestore_putvalues(upkeep->result->setResult, upkeep->result->setDesc, values, isnull);
}

static void
report(RecsysUpkeep *upkeep, const char *object, const ErrorData *error)
{
	if (error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("recsys.maintain could not see to %s: %s", object, error->message),
				 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
				 error->hint != NULL ? errhint("%s", error->hint) : 0));
	RecsysUpkeepPut(upkeep, "postponed", object,
					error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE ? "others are using it" : error->message);
}

bool
RecsysUpkeepTry(RecsysUpkeep *upkeep, const char *object, void (*step) (void *arg), void *arg)
{
	ErrorData  *error = RecsysGuardCatch(step, arg, RecsysIsOfStep);

	if (error == NULL)
		return true;
	report(upkeep, object, error);
	FreeErrorData(error);
	return false;
}

int
RecsysBeginShortLocks(void)
{
	int			nestlevel = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", LOCK_WAIT, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
							 true, 0, false);
	return nestlevel;
}
