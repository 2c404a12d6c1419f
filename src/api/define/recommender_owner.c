/*
 * recommender_owner.c
 *	  The trigger that looks at who owns a row of recsys.recommender, recsys.experiment and the like.
 *
 * Rows are written by recsys.create_recommender and its kin, with the rights of the table's
 * owner, and by who restores a dump.  If that one is no superuser he may give a definition only
 * to roles that he has the rights of; any other becomes his own, as with all else that is restored
 * without the right to give it away.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(recsys_recommender_owner);

static bool
may_give_to(const char *owner)
{
	Oid			role;

	if (superuser())
		return true;
	role = get_role_oid(owner, true);
	return OidIsValid(role) && has_privs_of_role(GetUserId(), role);
}

Datum
recsys_recommender_owner(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;
	TupleDesc	descriptor;
	HeapTuple	tuple;
	int			column;
	char	   *owner;
	Datum		mine;
	bool		isnull = false;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("recsys.recommender_owner() is a trigger for each row before it is written")));
	tuple = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	descriptor = RelationGetDescr(trigger->tg_relation);
	if (trigger->tg_relation->rd_rel->relowner == GetUserId())
		return PointerGetDatum(tuple);

	column = SPI_fnumber(descriptor, "owner");
	if (column <= 0)
		elog(ERROR, "\"%s\" has no column \"owner\"", RelationGetRelationName(trigger->tg_relation));
	owner = SPI_getvalue(tuple, descriptor, column);
	if (owner == NULL || may_give_to(owner))
		return PointerGetDatum(tuple);
	mine = CStringGetTextDatum(GetUserNameFromId(GetUserId(), false));
	return PointerGetDatum(heap_modify_tuple_by_cols(tuple, descriptor, 1, &column, &mine, &isnull));
}
