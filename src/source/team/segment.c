/*
 * segment.c
 *	  Segments of shared memory, which may be unavailable.
 *
 * Containers often have little shared memory.  When a segment cannot be created, the
 * caller goes on without workers instead of failing.
 */
#include "postgres.h"

#include "core/base/largepages.h"
#include "source/team/segment.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

dsm_segment *
RecsysSegmentReserve(Size size)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner saved = CurrentResourceOwner;
	ResourceOwner owner = ResourceOwnerCreate(saved, "recsys segment");
	dsm_segment *volatile segment = NULL;

	CurrentResourceOwner = owner;
	PG_TRY();
	{
		segment = dsm_create(size, DSM_CREATE_NULL_IF_MAXSEGMENTS);
		if (segment != NULL)
			dsm_pin_mapping(segment);
	}
	PG_CATCH();
	{
		int			code = geterrcode();

		CurrentResourceOwner = saved;
		if (code != ERRCODE_OUT_OF_MEMORY && code != ERRCODE_DISK_FULL)
			PG_RE_THROW();
		MemoryContextSwitchTo(context);
		FlushErrorState();
	}
	PG_END_TRY();

	/* of a failed attempt, the descriptor is left */
	CurrentResourceOwner = saved;
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, false);
	ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
	ResourceOwnerDelete(owner);

	if (segment == NULL)
		ereport(DEBUG1,
				(errmsg_internal("recsys: no room for %zu kB of shared memory", size / 1024)));
	else
		dsm_unpin_mapping(segment);
	return segment;
}

dsm_segment *
RecsysSegmentCreate(Size size)
{
	dsm_segment *segment = RecsysSegmentReserve(size);

	if (segment != NULL)
		RecsysMapPages(dsm_segment_address(segment), dsm_segment_map_length(segment));
	return segment;
}

dsm_segment *
RecsysSegmentAttach(dsm_handle handle)
{
	dsm_segment *segment = dsm_attach(handle);

	if (segment == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("could not map dynamic shared memory segment")));
	return segment;
}
