/*
 * mark.h
 *	  Flags of users and of their entries.
 */
#ifndef RECSYS_MARK_H
#define RECSYS_MARK_H

#include "am/lists/owner.h"
#include "am/read/userreader.h"

/* Counts a user among the meta page's users, or no longer; nothing if that is so already. */
extern void RecsysSetCounted(Relation index, const RecsysUserView *user, bool counted);

/*
 * Notes that entries of the user may be forgotten.  It stays noted, and comes before the
 * entries' own flags: inserts look at it (am/lists/appendbatch.h).
 */
extern void RecsysSetForgotten(Relation index, const RecsysUserView *user);

/* Sets the flags forgotten and counted of an entry. */
typedef void (*RecsysEntryMarker) (void *arg, RecsysEntry *entry);

/*
 * Lets the marker see every entry of a user and sets the user's flags.  Page by
 * page: when it is cut short, some entries keep their old flags.
 */
extern void RecsysMarkEntries(Relation index, const RecsysUserView *user, uint16 flags,
							  RecsysEntryMarker marker, void *arg);

/*
 * Before rows are written with other items of the user than the marks have: until the entries are marked
 * anew, any item of the user may be one of those.
 */
extern void RecsysDoubtMarks(Relation index, const RecsysUserView *user);

#endif							/* RECSYS_MARK_H */
