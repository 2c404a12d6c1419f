/*
 * itemclasses.c
 *	  Operator classes of the access method recsys_items: families and parameters.
 *
 * The server asks the first support function of an operator class which parameters it has.
 * All classes have a weight; what else there is depends on how values compare.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/reloptions.h"
#include "am/content/itemclasses.h"
#include "catalog/pg_opfamily.h"
#include "fmgr.h"
#include "utils/syscache.h"

#define DEFAULT_WEIGHT 1.0
#define DEFAULT_LOG_SCALE 0.5	/* of natural logarithms: a third dearer is still much alike */
#define DEFAULT_LINEAR_SCALE 1.0
#define DEFAULT_DAYS 30.0
#define DEFAULT_K1 1.2
#define DEFAULT_B 0.75

/* Of a scale that is not set, which the server never takes for one that is */
#define SCALE_NOT_SET (-1.0)

static const char *const family_names[] = {
	[RECSYS_FAMILY_LABEL] = "label_ops",
	[RECSYS_FAMILY_LABELS] = "labels_ops",
	[RECSYS_FAMILY_TEXT] = "text_ops",
	[RECSYS_FAMILY_NUMBER] = "number_ops",
	[RECSYS_FAMILY_TIME] = "time_ops",
	[RECSYS_FAMILY_VECTOR] = "vector_ops",
	[RECSYS_FAMILY_ANY] = "any_ops",
};

bool
RecsysItemFamilyOf(Oid opfamily, RecsysItemFamily *family)
{
	HeapTuple	tuple = SearchSysCache1(OPFAMILYOID, ObjectIdGetDatum(opfamily));
	bool		found = false;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator family %u", opfamily);
	for (int i = 0; i < lengthof(family_names) && !found; i++)
		if (strcmp(NameStr(((Form_pg_opfamily) GETSTRUCT(tuple))->opfname), family_names[i]) == 0)
		{
			*family = (RecsysItemFamily) i;
			found = true;
		}
	ReleaseSysCache(tuple);
	return found;
}

void
RecsysSetParameters(RecsysItemFamily family, const RecsysItemParameters *parameters,
					RecsysAttribute *attribute)
{
	attribute->weight = parameters != NULL ? parameters->weight : DEFAULT_WEIGHT;
	switch ((RecsysAttributeKind) attribute->kind)
	{
		case RECSYS_ATTRIBUTE_NUMBER:
			attribute->linear = family == RECSYS_FAMILY_TIME ||
				(parameters != NULL && parameters->linear);
			if (parameters != NULL && parameters->scale != SCALE_NOT_SET)
				attribute->scale = parameters->scale;
			else if (family == RECSYS_FAMILY_TIME)
				attribute->scale = DEFAULT_DAYS;
			else
				attribute->scale = attribute->linear ? DEFAULT_LINEAR_SCALE : DEFAULT_LOG_SCALE;
			break;
		case RECSYS_ATTRIBUTE_TEXT:
			attribute->k1 = parameters != NULL ? parameters->k1 : DEFAULT_K1;
			attribute->b = parameters != NULL ? parameters->b : DEFAULT_B;
			break;
		case RECSYS_ATTRIBUTE_LABEL:
		case RECSYS_ATTRIBUTE_LABELS:
		case RECSYS_ATTRIBUTE_VECTOR:
			break;
	}
}

static local_relopts *
add_weight(FunctionCallInfo fcinfo)
{
	local_relopts *options = (local_relopts *) PG_GETARG_POINTER(0);

	init_local_reloptions(options, sizeof(RecsysItemParameters));
	add_local_real_reloption(options, "weight", "how much the attribute counts beside the others",
							 DEFAULT_WEIGHT, 0, 1000, offsetof(RecsysItemParameters, weight));
	return options;
}

static void
add_scale(local_relopts *options, const char *description)
{
	add_local_real_reloption(options, "scale", description, SCALE_NOT_SET, 1e-6, 1e12,
							 offsetof(RecsysItemParameters, scale));
}

PG_FUNCTION_INFO_V1(recsys_weight_parameters);
PG_FUNCTION_INFO_V1(recsys_text_parameters);
PG_FUNCTION_INFO_V1(recsys_number_parameters);
PG_FUNCTION_INFO_V1(recsys_time_parameters);

Datum
recsys_weight_parameters(PG_FUNCTION_ARGS)
{
	add_weight(fcinfo);
	PG_RETURN_VOID();
}

Datum
recsys_text_parameters(PG_FUNCTION_ARGS)
{
	local_relopts *options = add_weight(fcinfo);

	add_local_real_reloption(options, "k1", "how soon a repeated word counts no more",
							 DEFAULT_K1, 0, 100, offsetof(RecsysItemParameters, k1));
	add_local_real_reloption(options, "b", "how much the length of a text counts",
							 DEFAULT_B, 0, 1, offsetof(RecsysItemParameters, b));
	PG_RETURN_VOID();
}

Datum
recsys_number_parameters(PG_FUNCTION_ARGS)
{
	local_relopts *options = add_weight(fcinfo);

	add_scale(options, "standard deviation of numbers that are alike, or of their logarithms");
	add_local_bool_reloption(options, "linear", "compare numbers, not their logarithms",
							 false, offsetof(RecsysItemParameters, linear));
	PG_RETURN_VOID();
}

Datum
recsys_time_parameters(PG_FUNCTION_ARGS)
{
	local_relopts *options = add_weight(fcinfo);

	add_scale(options, "standard deviation, in days, of times that are alike");
	PG_RETURN_VOID();
}
