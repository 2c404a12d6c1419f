/*
 * weighedsignals.c
 *	  The signals of a recommender with other weights, as they are declared.
 */
#include "postgres.h"

#include "api/declare/jsonfields.h"
#include "api/declare/parameters.h"
#include "api/weigh/weighedsignals.h"

static void
put_signal(JsonbParseState **state, JsonbContainer *signal, double weight)
{
	bool		predicts = RecsysJsonText(signal, "predicts") != NULL;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < RecsysSignalKeyCount; i++)
	{
		const char *key = RecsysSignalKeys[i];
		JsonbValue	value;

		/* the view of a prediction is found by what it is */
		if (strcmp(key, "weight") == 0)
			RecsysJsonPutNumber(state, key, weight);
		else if (!(predicts && strcmp(key, "graph") == 0) && RecsysJsonGet(signal, key, &value))
		{
			RecsysJsonPutKey(state, key);
			pushJsonbValue(state, WJB_VALUE, &value);
		}
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

Jsonb *
RecsysSignalsWithWeights(const RecsysShop *shop, const double *weights)
{
	const RecsysDefinition *definition = shop->definition;
	JsonbParseState *state = NULL;
	JsonbValue	value;
	JsonbContainer *array;

	(void) RecsysJsonGet(&shop->declared->root, "signals", &value);
	array = RecsysJsonArray(&value, "signals");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (int s = 0; s < definition->nsignals; s++)
		if (weights[s] != 0)
			put_signal(&state, RecsysJsonObject(getIthJsonbValueFromContainer(array, s), "signals"),
					   definition->signals[s].weight < 0 ? -weights[s] : weights[s]);
	return JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_ARRAY, NULL));
}
