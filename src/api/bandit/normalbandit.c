/*
 * normalbandit.c
 *	  From what is declared of a bandit to the definition that is kept.
 *
 * A definition is looked at as a whole, whatever part of it changes: what a policy needs depends on
 * the arms, and the other way round.
 */
#include "postgres.h"

#include <math.h>

#include "api/bandit/banditarm.h"
#include "api/bandit/normalbandit.h"
#include "api/bandit/normalfeatures.h"
#include "api/declare/jsonfields.h"
#include "api/declare/names.h"
#include "api/declare/nearest.h"
#include "api/define/expression.h"
#include "api/route/banditrow.h"
#include "api/route/banditstate.h"
#include "catalog/pg_type.h"
#include "compat.h"
#include "source/input/values.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#define MOST_LIST_ARMS 100
#define MOST_PLACES 20
#define MOST_PLACE 1000

const char *const RecsysBanditParameters[] = {
	"arms", "policy", "reward", "epsilon", "half_life", "features", "prior", "exploration",
	"minimum_share", "recommender", "places", "candidates", "tolerance", "seed"
};
const int	RecsysBanditParameterCount = lengthof(RecsysBanditParameters);

typedef struct Normaliser
{
	const char *name;			/* of the bandit */
	JsonbContainer *given;
	JsonbContainer *kept;		/* or NULL */
	JsonbParseState *state;
	RecsysPolicyKind kind;
	RecsysShop *shop;			/* whose profiles and items expressions are over; NULL: that is an index */
	const char *first;			/* its name */
} Normaliser;

static bool
get(const Normaliser *n, const char *key, JsonbValue *value)
{
	return RecsysJsonGet(n->given, key, value) ||
		(n->kept != NULL && RecsysJsonGet(n->kept, key, value));
}

static bool
has(const Normaliser *n, const char *key)
{
	JsonbValue	value;

	return get(n, key, &value);
}

static char *
get_text(const Normaliser *n, const char *key)
{
	JsonbValue	value;

	return get(n, key, &value) ? RecsysJsonValueText(&value, key) : NULL;
}

pg_noreturn static void
refuse_together(const Normaliser *n, const char *one, const char *other, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("%s and %s do not go together", one, other),
			 errdetail("%s", detail)));
}

static void
put_arms(Normaliser *n)
{
	JsonbValue	value;
	JsonbContainer *array;
	const char **arms;
	int			count;

	get(n, "arms", &value);
	array = RecsysJsonArray(&value, "arms");
	count = JsonContainerSize(array);
	if (count < 2 || count > MOST_LIST_ARMS)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arms must be 2 to %d recommenders", MOST_LIST_ARMS)));
	arms = palloc(sizeof(char *) * count);
	RecsysJsonPutKey(&n->state, "arms");
	pushJsonbValue(&n->state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		RecsysShop *shop;

		arms[i] = RecsysKeptArm(RecsysJsonValueText(getIthJsonbValueFromContainer(array, i), "arms"),
								&shop);
		if (i == 0)
		{
			n->shop = shop;
			n->first = arms[0];
		}
		for (int j = 0; j < i; j++)
			if (strcmp(arms[i], arms[j]) == 0)
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						 errmsg("arms has \"%s\" twice", arms[i])));
		RecsysJsonPutElement(&n->state, arms[i]);
	}
	pushJsonbValue(&n->state, WJB_END_ARRAY, NULL);
}

static int
compare_places(const void *a, const void *b)
{
	return *(const int *) a - *(const int *) b;
}

static void
put_places(Normaliser *n)
{
	JsonbValue	value;
	JsonbContainer *array;
	int			places[MOST_PLACES];
	int			count;

	get(n, "places", &value);
	array = RecsysJsonArray(&value, "places");
	count = JsonContainerSize(array);
	if (count < 1 || count > MOST_PLACES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("places must be 1 to %d places of a list", MOST_PLACES)));
	for (int i = 0; i < count; i++)
	{
		int64		place = RecsysJsonValueInteger(getIthJsonbValueFromContainer(array, i), "places");

		if (place < 1 || place > MOST_PLACE)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("places must be between 1 and %d", MOST_PLACE)));
		places[i] = (int) place;
	}
	qsort(places, count, sizeof(int), compare_places);
	RecsysJsonPutKey(&n->state, "places");
	pushJsonbValue(&n->state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < count; i++)
	{
		JsonbValue	element = {.type = jbvNumeric};

		if (i > 0 && places[i] == places[i - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("places has %d twice", places[i])));
		element.val.numeric = DatumGetNumeric(DirectFunctionCall1(int4_numeric, Int32GetDatum(places[i])));
		pushJsonbValue(&n->state, WJB_ELEM, &element);
	}
	pushJsonbValue(&n->state, WJB_END_ARRAY, NULL);
}

static void
put_candidates(Normaliser *n)
{
	const RecsysDefinition *definition = n->shop->definition;
	char	   *text = get_text(n, "candidates");
	Oid			type;

	if (text == NULL)
		text = definition->new_item_since;
	if (text == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("candidates must be given"),
				 errdetail("Recommender \"%s\" does not say by new_item_since which items are new.",
						   definition->name),
				 errhint("candidates => 'true' takes all items that it may show; an expression over them takes some.")));
	RecsysJsonPutText(&n->state, "candidates",
					  RecsysKeptExpression(text, RecsysFindRelation(definition->items), RECSYS_ITEMS,
										   RECSYS_BOOLEAN_RESULT, &type));
}

/* What is of places */
static void
put_slots(Normaliser *n)
{
	char	   *recommender = get_text(n, "recommender");

	if (recommender == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("a bandit needs arms, or a recommender and places of its list"),
				 errhint("Name two recommenders in arms, or one, and places of its list.")));
	n->first = RecsysKeptArm(recommender, &n->shop);
	if (n->shop == NULL || n->shop->definition->items == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" has no table of items", recommender),
				 errdetail("Candidates are items of a declared recommender."),
				 errhint("Declare it by recsys.create_recommender, with items and item_key.")));
	if (strcmp(n->first, RECSYS_CANDIDATE_ARM) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("recommender \"%s\" cannot have places that are filled", n->first),
				 errdetail("The log calls what fills them by that name.")));
	RecsysJsonPutText(&n->state, "recommender", n->first);
	if (!has(n, "places"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("places must be given"),
				 errdetail("They are the places of the list that are filled."),
				 errhint("places => '{5, 10}'")));
	put_places(n);
	put_candidates(n);
}

static void
put_policy(Normaliser *n)
{
	static const RecsysPolicyKind kinds[] = {
		RECSYS_POLICY_EPSILON_GREEDY, RECSYS_POLICY_UCB1, RECSYS_POLICY_THOMPSON,
		RECSYS_POLICY_THOMPSON_NORMAL, RECSYS_POLICY_LINUCB, RECSYS_POLICY_LINEAR_THOMPSON,
		RECSYS_POLICY_UNIFORM
	};
	const char *names[lengthof(kinds)];
	char	   *policy = get_text(n, "policy");

	if (policy == NULL)
		policy = "thompson";
	for (int i = 0; i < (int) lengthof(kinds); i++)
		names[i] = RecsysPolicyName(kinds[i]);
	RecsysCheckWord(policy, "policy", names, lengthof(kinds));
	(void) RecsysPolicyByName(policy, &n->kind);
	RecsysJsonPutText(&n->state, "policy", policy);
}

/* Rewards from 0 to 1 are all that some policies take, and the bound by which candidates are retired. */
static void
check_value(const Normaliser *n, const char *kind, const JsonbValue *value, bool bounded)
{
	double		number;

	if (value->type == jbvString)
	{
		if (value->val.string.len != 5 || strncmp(value->val.string.val, "value", 5) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("the reward of \"%s\" must be a number, or \"value\"", kind),
					 errdetail("\"value\" stands for the value that comes with the event.")));
	}
	number = value->type == jbvString ? INFINITY : RecsysJsonValueNumber(value, kind);
	if (bounded && !(number >= 0 && number <= 1))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the reward of \"%s\" must be between 0 and 1", kind),
				 errdetail(has(n, "places") ? "Candidates are compared by rewards from 0 to 1." :
						   "Policy %s takes no others.", RecsysPolicyName(n->kind)),
				 has(n, "places") ? 0 : errhint("policy => 'thompson_normal' takes any.")));
}

static void
put_reward(Normaliser *n)
{
	JsonbValue	value;
	JsonbValue	key = {.type = jbvString};
	JsonbIterator *iterator;
	JsonbIteratorToken token;
	JsonbContainer *rewards;
	bool		bounded = has(n, "places") || n->kind == RECSYS_POLICY_THOMPSON ||
		n->kind == RECSYS_POLICY_UCB1;

	RecsysJsonPutKey(&n->state, "reward");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	if (!get(n, "reward", &value))
		RecsysJsonPutInteger(&n->state, "click", 1);
	else
	{
		rewards = RecsysJsonObject(&value, "reward");
		if (JsonContainerSize(rewards) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("reward names no kind of event")));
		iterator = JsonbIteratorInit(rewards);
		while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE)
		{
			if (token == WJB_KEY)
				key = value;
			else if (token == WJB_VALUE)
			{
				check_value(n, pnstrdup(key.val.string.val, key.val.string.len), &value, bounded);
				pushJsonbValue(&n->state, WJB_KEY, &key);
				pushJsonbValue(&n->state, WJB_VALUE, &value);
			}
		}
	}
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

static void
put_number(Normaliser *n, const char *key, double low, double high)
{
	JsonbValue	value;
	double		number;

	if (!get(n, key, &value))
		return;
	number = RecsysJsonValueNumber(&value, key);
	if (!(number >= low && number <= high))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be between %g and %g", key, low, high)));
	RecsysJsonPutNumber(&n->state, key, number);
}

static void
put_half_life(Normaliser *n)
{
	char	   *text = get_text(n, "half_life");
	Interval   *interval;
	double		length;
	int			nestlevel;

	if (text == NULL)
		return;
	interval = DatumGetIntervalP(DirectFunctionCall3(interval_in, CStringGetDatum(text),
													 ObjectIdGetDatum(InvalidOid),
													 Int32GetDatum(-1)));
	length = RecsysIntervalMicroseconds(interval);
	if (!(length >= USECS_PER_SEC && length < 9e18))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("half_life must be an interval of a second or more"),
				 errhint("Leave it out for a bandit that forgets nothing.")));
	nestlevel = RecsysBeginPlainNames();
	RecsysJsonPutText(&n->state, "half_life",
					  DatumGetCString(DirectFunctionCall1(interval_out, IntervalPGetDatum(interval))));
	RecsysEndPlainNames(nestlevel);
}

static void
put_prior(Normaliser *n)
{
	static const char *const keys[] = {"successes", "failures", "mean", "trials", "shape", "variance",
	"ridge"};
	JsonbValue	value;
	JsonbContainer *prior;

	if (!get(n, "prior", &value))
		return;
	prior = RecsysJsonObject(&value, "prior");
	RecsysJsonCheckKeys(prior, keys, lengthof(keys));
	RecsysJsonPutKey(&n->state, "prior");
	pushJsonbValue(&n->state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < (int) lengthof(keys); i++)
		if (RecsysJsonGet(prior, keys[i], &value))
			RecsysJsonPutNumber(&n->state, keys[i], RecsysJsonValueNumber(&value, keys[i]));
	pushJsonbValue(&n->state, WJB_END_OBJECT, NULL);
}

static void
check_together(const Normaliser *n)
{
	bool		linear = RecsysPolicyIsLinear(n->kind);

	if (has(n, "arms"))
	{
		static const char *const of_places[] = {"recommender", "places", "candidates", "tolerance"};

		for (int i = 0; i < (int) lengthof(of_places); i++)
			if (has(n, of_places[i]))
				refuse_together(n, "arms", of_places[i],
								"A bandit chooses a list, or what stands at some places of one.");
	}
	else if (linear)
		refuse_together(n, "places", RecsysPolicyName(n->kind),
						"Policies with features choose lists.");
	if (linear && !has(n, "features"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("policy %s needs features", RecsysPolicyName(n->kind)),
				 errhint("Features look like {\"age\": \"age / 100.0\", \"device\": {\"context\": \"label\"}}.")));
	if (!linear && has(n, "features"))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("policy %s looks at no features", RecsysPolicyName(n->kind)),
				 errhint("policy => 'linear_thompson' does.")));
	if (has(n, "epsilon") && n->kind != RECSYS_POLICY_EPSILON_GREEDY)
		refuse_together(n, "epsilon", RecsysPolicyName(n->kind), "It is of epsilon_greedy.");
}

/* As a whole: what the kernels say of the numbers, and what only can be said of all of them */
static void
check_whole(const Normaliser *n, Jsonb *definition)
{
	RecsysBandit *bandit = RecsysReadBandit(n->name, "", definition);
	const char *fault = RecsysPolicyFault(&bandit->options);

	if (fault != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("policy %s cannot work with these numbers", RecsysPolicyName(n->kind)),
				 errdetail("That is because %s.", fault)));
	if (bandit->minimum_share * Max(bandit->narms, 1) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("minimum_share must be at most %g, as there are %d arms",
						1.0 / bandit->narms, bandit->narms)));
}

Jsonb *
RecsysNormaliseBandit(const char *name, Jsonb *given, Jsonb *kept)
{
	Normaliser	n = {.name = name,.given = &given->root,.kept = kept != NULL ? &kept->root : NULL};
	JsonbValue	value;
	Jsonb	   *definition;

	pushJsonbValue(&n.state, WJB_BEGIN_OBJECT, NULL);
	put_policy(&n);
	check_together(&n);
	if (has(&n, "arms"))
		put_arms(&n);
	else
	{
		put_slots(&n);
		put_number(&n, "tolerance", 0, 1);
	}
	put_reward(&n);
	put_number(&n, "epsilon", 0, 1);
	put_number(&n, "exploration", 0, 1e6);
	put_number(&n, "minimum_share", 0, 1);
	put_half_life(&n);
	put_prior(&n);
	if (get(&n, "features", &value))
		RecsysPutBanditFeatures(&n.state, &value, n.shop, n.first);
	if (get(&n, "seed", &value))
		RecsysJsonPutInteger(&n.state, "seed", RecsysJsonValueInteger(&value, "seed"));
	definition = JsonbValueToJsonb(pushJsonbValue(&n.state, WJB_END_OBJECT, NULL));
	check_whole(&n, definition);
	return definition;
}
