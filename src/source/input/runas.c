/*
 * runas.c
 *	  Running what somebody else has declared with that one's rights.
 */
#include "postgres.h"

#include "compat.h"
#include "miscadmin.h"
#include "source/input/runas.h"
#include "utils/guc.h"

void
RecsysBeginAs(Oid role, RecsysRights *before)
{
	GetUserIdAndSecContext(&before->caller, &before->security);
	SetUserIdAndSecContext(role, before->security | SECURITY_RESTRICTED_OPERATION);
	before->nestlevel = NewGUCNestLevel();
	RECSYS_RESTRICT_SEARCH_PATH();
}

void
RecsysEndAs(const RecsysRights *before)
{
	AtEOXact_GUC(false, before->nestlevel);
	SetUserIdAndSecContext(before->caller, before->security);
}
