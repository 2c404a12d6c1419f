/*
 * policyquery.h
 *	  A query whose rows are what a policy has shown, with columns that are known by their names.
 */
#ifndef RECSYS_POLICYQUERY_H
#define RECSYS_POLICYQUERY_H

#include "postgres.h"

#include "api/offpolicy/policytable.h"

/*
 * Runs it with the caller's rights, read-only.  Columns: reward, propensity, and target_probability,
 * target_matches or target_item; if it has them position, item, request, unit, context, predicted
 * and target_predicted.  Errors out, with a hint, on others and where one is missing.
 */
extern RecsysPolicyTable *RecsysReadPolicyQuery(const char *query);

#endif							/* RECSYS_POLICYQUERY_H */
