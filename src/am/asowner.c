/*
 * asowner.c
 *	  Maintenance with the rights of the table's owner.
 */
#include "postgres.h"

#include "am/asowner.h"
#include "compat.h"
#include "miscadmin.h"
#include "utils/guc.h"

void
RecsysBeginAsOwner(Relation heap, RecsysAsOwner *before)
{
	GetUserIdAndSecContext(&before->caller, &before->security);
	SetUserIdAndSecContext(heap->rd_rel->relowner,
						   before->security | SECURITY_RESTRICTED_OPERATION);
	before->nestlevel = NewGUCNestLevel();
	RECSYS_RESTRICT_SEARCH_PATH();
}

void
RecsysEndAsOwner(const RecsysAsOwner *before)
{
	AtEOXact_GUC(false, before->nestlevel);
	SetUserIdAndSecContext(before->caller, before->security);
}
