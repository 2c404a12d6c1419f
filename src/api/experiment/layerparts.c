/*
 * layerparts.c
 *	  Layers: experiments that share one have no unit in common.
 *
 * A layer is nothing but its name.  It is divided by places from 0 to 1: its top part is held
 * out, below it each experiment has a range, until it is stopped or dropped.
 */
#include "postgres.h"

#include <math.h>

#include "api/experiment/layerparts.h"
#include "api/keep/experimentrow.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

/* Less is nothing: what is left by sums of shares that were written in decimal */
#define TOLERANCE 1e-9

/* The others that have a part of the layer, by their places */
static int
compare_places(const ListCell *a, const ListCell *b)
{
	const RecsysExperiment *left = lfirst(a);
	const RecsysExperiment *right = lfirst(b);

	return (left->layer_low > right->layer_low) - (left->layer_low < right->layer_low);
}

static List *
others_of(const RecsysLayerPart *part)
{
	Snapshot	snapshot = RegisterSnapshot(GetLatestSnapshot());
	List	   *all = RecsysAllExperiments(snapshot);
	List	   *others = NIL;
	ListCell   *cell;

	UnregisterSnapshot(snapshot);
	foreach(cell, all)
	{
		RecsysExperiment *other = lfirst(cell);

		if (other->layer != NULL && strcmp(other->layer, part->layer) == 0 &&
			strcmp(other->name, part->experiment) != 0 && TIMESTAMP_IS_NOEND(other->stopped_at))
			others = lappend(others, other);
	}
	list_sort(others, compare_places);
	return others;
}

/* What all experiments of a layer have in common */
static void
agree(RecsysLayerPart *part, List *others)
{
	RecsysExperiment *other = others == NIL ? NULL : linitial(others);

	if (isnan(part->holdout))
		part->holdout = other == NULL ? 0 : other->holdout;
	if (other == NULL)
		return;
	if (fabs(part->holdout - other->holdout) > TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("layer \"%s\" has a holdout of %g", part->layer, other->holdout),
				 errdetail("Experiment \"%s\" has it, too.", other->name),
				 errhint("Leave out holdout, or choose another layer.")));
	if (part->by_session != other->by_session)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("units of layer \"%s\" are %s", part->layer,
						other->by_session ? "sessions" : "users"),
				 errdetail("Experiment \"%s\" has it, too.", other->name),
				 errhint("Choose another layer.")));
}

static void
refuse(const RecsysLayerPart *part, List *others, double largest)
{
	double		all = 1 - part->holdout;
	StringInfoData list;
	ListCell   *cell;

	initStringInfo(&list);
	foreach(cell, others)
	{
		RecsysExperiment *other = lfirst(cell);

		appendStringInfo(&list, "%s\"%s\" has %.6g", foreach_current_index(cell) > 0 ? ", " : "",
						 other->name, (other->layer_high - other->layer_low) / all);
	}
	if (largest > TOLERANCE)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("layer \"%s\" has no free part of %g", part->layer, part->share),
				 errdetail("The largest free one is %.6g; experiment %s.", largest / all, list.data),
				 errhint("Take less of it by layer_share, or stop an experiment first: SELECT recsys.stop_experiment(%s);",
						 quote_literal_cstr(((RecsysExperiment *) linitial(others))->name))));
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("layer \"%s\" has no free part of %g", part->layer, part->share),
			 errdetail("Nothing is free; experiment %s.", list.data),
			 errhint("Choose another layer, or stop an experiment first: SELECT recsys.stop_experiment(%s);",
					 quote_literal_cstr(((RecsysExperiment *) linitial(others))->name))));
}

/* The gap before the number-th of the others, or behind the last one */
static void
get_gap(const RecsysLayerPart *part, List *others, int number, double *low, double *high)
{
	*low = number == 0 ? 0 : ((RecsysExperiment *) list_nth(others, number - 1))->layer_high;
	*high = number == list_length(others) ? 1 - part->holdout :
		((RecsysExperiment *) list_nth(others, number))->layer_low;
}

/* Makes the part that it has longer or shorter, to its upper side, or else to its lower one. */
static bool
resize(RecsysLayerPart *part, List *others, double size)
{
	for (int i = 0; i <= list_length(others); i++)
	{
		double		low;
		double		high;

		get_gap(part, others, i, &low, &high);
		if (part->low < low - TOLERANCE || part->low > high + TOLERANCE)
			continue;
		if (high - low < size - TOLERANCE)
			return false;
		part->low = Max(Min(part->low, high - size), low);
		part->high = part->low + size;
		return true;
	}
	return false;
}

void
RecsysTakeLayerPart(RecsysLayerPart *part)
{
	List	   *others = part->layer == NULL ? NIL : others_of(part);
	double		largest = 0;
	double		size;

	agree(part, others);
	size = part->share * (1 - part->holdout);
	if (part->has_part && resize(part, others, size))
		return;
	for (int i = 0; i <= list_length(others); i++)
	{
		double		low;
		double		high;

		get_gap(part, others, i, &low, &high);
		if (high - low >= size - TOLERANCE && !part->is_kept)
		{
			part->low = low;
			part->high = Min(low + size, high);
			return;
		}
		largest = Max(largest, high - low);
	}
	refuse(part, others, largest);
}
