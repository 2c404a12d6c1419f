/*
 * logsettings.h
 *	  What recsys.configure_log has set: the row of recsys.log_setting.
 */
#ifndef RECSYS_LOGSETTINGS_H
#define RECSYS_LOGSETTINGS_H

#include "postgres.h"

#include "utils/jsonb.h"
#include "utils/timestamp.h"

typedef struct RecsysLogSettings
{
	Interval   *retention;		/* NULL: for ever */
	bool		pseudonymous;
	Jsonb	   *purchases;		/* as RecsysNormalPurchases has made it; NULL: none */
	char	   *purchases_role; /* with whose rights they are read; NULL without purchases */
	int64		window;			/* microseconds */
	char	   *attribution;	/* "first", "last", "position" */
} RecsysLogSettings;

/* In the current memory context; the defaults where nothing is set. */
extern void RecsysReadLogSettings(RecsysLogSettings *settings);

/*
 * The role with whose rights purchases are read.  Errors out unless it is there, and unless the owner
 * of the extension has its rights: that one owns the settings, and may write any role into them.
 */
extern Oid	RecsysPurchasesReader(const RecsysLogSettings *settings);

#endif							/* RECSYS_LOGSETTINGS_H */
