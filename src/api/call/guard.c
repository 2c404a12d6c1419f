/*
 * guard.c
 *	  Going on after an error.
 */
#include "postgres.h"

#include "access/xact.h"
#include "api/call/guard.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

/* Some errors say nothing about the object that was looked at. */
static bool
is_of_object(const ErrorData *error)
{
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return error->sqlerrcode != ERRCODE_QUERY_CANCELED &&
		category != ERRCODE_OPERATOR_INTERVENTION &&
		category != ERRCODE_INSUFFICIENT_RESOURCES;
}

bool
RecsysIsOfStep(const ErrorData *error)
{
	return error->sqlerrcode != ERRCODE_OUT_OF_MEMORY &&
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_OPERATOR_INTERVENTION;
}

ErrorData *
RecsysGuardCatch(RecsysGuardedWork work, void *arg, RecsysGuardTest goes_on)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData  *volatile caught = NULL;

	/* a parallel operation, in which there are no subtransactions, ends with the first error */
	if (IsInParallelMode())
	{
		work(arg);
		return NULL;
	}

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		work(arg);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (!goes_on(error))
			ReThrowError(error);
		caught = error;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return caught;
}

char *
RecsysGuard(RecsysGuardedWork work, void *arg)
{
	ErrorData  *error = RecsysGuardCatch(work, arg, is_of_object);
	char	   *message;

	if (error == NULL)
		return NULL;
	message = pstrdup(error->message);
	FreeErrorData(error);
	return message;
}
