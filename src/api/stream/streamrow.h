/*
 * streamrow.h
 *	  The rows of recsys.stream.
 *
 * They are read and written with the rights of the table's owner, a superuser: nobody else may say who
 * owns a stream.  So nothing of anybody else's may run meanwhile.
 */
#ifndef RECSYS_STREAMROW_H
#define RECSYS_STREAMROW_H

#include "postgres.h"

#include "storage/lockdefs.h"
#include "utils/jsonb.h"

typedef struct RecsysStreamRow
{
	char	   *name;
	char	   *owner;			/* name of a role, which may be gone */
	Jsonb	   *definition;
	char	   *state;			/* running, paused or failed */
	int64		version;		/* another one with each change of the definition */
} RecsysStreamRow;

/* Channel of the notifications that something about a stream has changed; they say its name. */
#define RECSYS_STREAM_CHANNEL "recsys_stream"

/*
 * The stream, if the current user has the rights of its owner; errors out if there is none or he has
 * not.  With a lock: ShareLock to claim partitions, ExclusiveLock to change it, so that both exclude
 * one another and a claim is of the declaration that it names.
 */
extern void RecsysNeedStream(const char *name, LOCKMODE lock, RecsysStreamRow *row);

/* The same; false if there is none. */
extern bool RecsysFindStream(const char *name, LOCKMODE lock, RecsysStreamRow *row);

/* The stream's owner; errors out if the role is gone. */
extern Oid	RecsysStreamOwner(const RecsysStreamRow *row);

/* Insert returns false if there is one of that name.  Update keeps the state, and sets another version. */
extern bool RecsysInsertStream(const RecsysStreamRow *row);
extern void RecsysUpdateStream(const RecsysStreamRow *row);
extern void RecsysDeleteStream(const char *name);

/* message may be NULL: nothing is said. */
extern void RecsysSetStreamState(const char *name, const char *state, const char *message);
extern void RecsysSayOfStream(const char *name, const char *message);

/*
 * Nothing that is under way for the stream is written any more, once this is committed: who has claimed
 * partitions, of whatever topic, has to do so anew.  Waits for transactions that have moved one on.
 */
extern void RecsysFenceStream(const char *name);

/* Tells the program, at the end of the transaction. */
extern void RecsysNotifyStream(const char *name);

#endif							/* RECSYS_STREAMROW_H */
