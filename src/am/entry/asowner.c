/*
 * asowner.c
 *	  Maintenance with the rights of the table's owner.
 */
#include "postgres.h"

#include "am/entry/asowner.h"

void
RecsysBeginAsOwner(Relation heap, RecsysAsOwner *before)
{
	RecsysBeginAs(heap->rd_rel->relowner, before);
}

void
RecsysEndAsOwner(const RecsysAsOwner *before)
{
	RecsysEndAs(before);
}
