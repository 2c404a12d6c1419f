/*
 * shopfunctions.c
 *	  Which functions recsys.create_functions makes: their parameters, columns and calls.
 *
 * Each name is there once.  Gateways that take arguments by name, as JSON, cannot tell functions
 * of one name apart that differ in types only, as recsys.log_click does.
 */
#include "postgres.h"

#include "api/define/shopfunctions.h"
#include "catalog/pg_type.h"

const RecsysShopDeclaration RecsysShopDeclarations[] = {
	[SHOP_USER] = {"user_id %U", ANYCOMPATIBLEOID},
	[SHOP_USER_OR_NULL] = {"user_id %U DEFAULT NULL", ANYCOMPATIBLEOID},
	[SHOP_ITEM] = {"item_id %I", ANYELEMENTOID},
	[SHOP_ITEMS] = {"items %I[]", ANYARRAYOID},
	[SHOP_ITEM_IDS] = {"item_ids %I[]", ANYARRAYOID},
	[SHOP_K] = {"k integer DEFAULT 10", INT4OID},
	[SHOP_CONTEXT] = {"context pg_catalog.jsonb", JSONBOID},
	[SHOP_CONTEXT_OR_NULL] = {"context pg_catalog.jsonb DEFAULT NULL", JSONBOID},
	[SHOP_SESSION] = {"session_id text DEFAULT NULL", TEXTOID},
	[SHOP_RECOMMENDER] = {"recommender text DEFAULT %R", TEXTOID},
	[SHOP_REQUEST_ID] = {"request_id pg_catalog.uuid", UUIDOID},
	[SHOP_REQUEST] = {"request pg_catalog.jsonb", JSONBOID},
	[SHOP_KIND] = {"kind text", TEXTOID},
	[SHOP_VALUE] = {"value double precision DEFAULT NULL", FLOAT8OID},
	[SHOP_EVENT_KEY] = {"event_key text DEFAULT NULL", TEXTOID},
	[SHOP_SEGMENT] = {"segment text", TEXTOID},
	[SHOP_ATTRIBUTES] = {"attributes pg_catalog.jsonb", JSONBOID},
};

#define LISTED "score real, source text, rank integer"
#define NEIGHBORS "score real, support bigint, rank integer"

const RecsysShopFunction RecsysShopFunctions[] = {
	/* lists */
	{"recommend", {SHOP_USER, SHOP_K},
		"%V.recommend($1, $2, %R, NULL::%T, true, NULL::pg_catalog.interval)",
	"item_id", LISTED, "the k best items for a user", SHOP_READS},
	{"recommend_with_context", {SHOP_USER, SHOP_CONTEXT, SHOP_K},
		"%V.recommend($1, $3, %R, NULL::%T, true, NULL::pg_catalog.interval, $2)",
	"item_id", LISTED, "the k best items for a user, or a visitor, with what the context says", SHOP_READS},
	{"recommend_with_reasons", {SHOP_USER, SHOP_K, SHOP_CONTEXT_OR_NULL},
		"%V.recommend_with_reasons($1, $2, %R, NULL::%T, $3)",
		"item_id", LISTED ", reason text, details pg_catalog.jsonb",
	"the k best items for a user, each with its reason", SHOP_READS},
	{"similar_items", {SHOP_ITEM, SHOP_K}, "%V.similar_items($1::%T, $2, %R)",
	"item_id", NEIGHBORS, "the k items that are most like an item", SHOP_READS},
	{"goes_with", {SHOP_ITEM, SHOP_K}, "%V.goes_with($1::%T, $2, %R)",
	"item_id", NEIGHBORS, "the k items that go best with an item", SHOP_READS},
	{"popular_items", {SHOP_K},
		"%V.popular_items($1, %R, NULL::%T, NULL::pg_catalog.timestamptz, NULL::pg_catalog.interval)",
		"item_id", "users bigint, score double precision, rank integer",
	"the k most popular items", SHOP_READS},
	{"popular_in_segment", {SHOP_SEGMENT, SHOP_K},
		"%V.popular_items($2, %R, NULL::%T, NULL::pg_catalog.timestamptz, NULL::pg_catalog.interval, $1)",
		"item_id", "users bigint, score double precision, rank integer",
	"the k most popular items of a segment", SHOP_READS_SEGMENTS},
	{"trending_items", {SHOP_K}, "%V.trending_items($1, %R, NULL::%T, NULL::pg_catalog.interval)",
		"item_id", "users bigint, expected double precision, score double precision, rank integer",
	"the k items that are taken much more often lately than they used to be", SHOP_READS},
	{"recommend_for_items", {SHOP_ITEMS, SHOP_K}, "%V.recommend_for_items($1::%T[], $2, %R)",
	"item_id", LISTED, "the k best items to go with the given ones", SHOP_READS},
	{"recommend_for_session", {SHOP_ITEMS, SHOP_K}, "%V.recommend_for_session($1::%T[], $2, %R)",
	"item_id", LISTED, "the k items that come next after the given ones, the last one last", SHOP_READS},
	{"explain_recommendation", {SHOP_USER, SHOP_ITEM},
		"%V.explain_recommendation($1, $2::%T, %R)", "because_item_id",
		"contribution double precision, weight double precision, similarity real, support bigint, "
		"rank integer, part text, signal text, reason text",
	"what is behind a recommendation, part by part", SHOP_READS},
	{"buy_again", {SHOP_USER, SHOP_K},
		"%V.buy_again($1, $2, %R, NULL::%T, NULL::pg_catalog.timestamptz)", "item_id",
		"score real, times integer, last_bought_at pg_catalog.timestamptz, "
		"due_at pg_catalog.timestamptz, rank integer",
	"items that a user is likely to buy again", SHOP_READS},
	{"next_basket", {SHOP_USER, SHOP_K},
		"%V.next_basket($1, $2, %R, NULL::%T, NULL::pg_catalog.timestamptz)",
	"item_id", LISTED, "the k items that a user will most likely buy next time", SHOP_READS},
	{"recently_viewed", {SHOP_USER, SHOP_K}, "%V.recently_viewed($1, $2, %R, NULL::%T)",
		"item_id", "last_at pg_catalog.timestamptz, times integer, rank integer",
	"the k items that a user had last", SHOP_READS},
	{"on_sale_for", {SHOP_USER, SHOP_K}, "%V.on_sale_for($1, $2, %R, NULL::%T, NULL::pg_catalog.jsonb)",
		"item_id",
		"score real, price double precision, usual_price double precision, discount real, rank integer",
	"items for a user that cost less than they usually do", SHOP_READS},
	{"items_like", {SHOP_ATTRIBUTES, SHOP_K}, "%V.items_like($1, $2, %R, NULL::%T)",
		"item_id", "score real, rank integer",
	"the k items that are most like the given attributes", SHOP_READS_CONTENT},

	/* lists that are logged, and what follows them */
	{"recommend_logged", {SHOP_USER, SHOP_K, SHOP_CONTEXT_OR_NULL, SHOP_SESSION, SHOP_RECOMMENDER},
		"%V.recommend($1, $2, $5, NULL::%T, log => true, context => $3, session_id => $4)",
		"item_id", LISTED ", request_id pg_catalog.uuid, experiment text, variant text, propensity double precision",
	"the k best items for a user, and the request logged", SHOP_WRITES},
	{"recommend_request", {SHOP_USER, SHOP_K, SHOP_CONTEXT_OR_NULL, SHOP_SESSION, SHOP_RECOMMENDER},
		"%V.recommend_request($1, $2, $5, session_id => $4, context => $3)",
	NULL, "pg_catalog.jsonb", "the k best items for a user as one document, for log_request", SHOP_READS},
	{"log_request", {SHOP_REQUEST}, "recsys.log_request($1)",
		NULL, "boolean",
	"logs what recommend_request has returned; false if it is logged already", SHOP_WRITES},
	{"log_impressions", {SHOP_ITEM_IDS, SHOP_USER_OR_NULL, SHOP_SESSION, SHOP_RECOMMENDER},
		"recsys.log_impressions($4, $1::%T[], $2, $3)",
	NULL, "pg_catalog.uuid", "logs a list that was made elsewhere; returns the id of the request", SHOP_WRITES},
	{"log_click", {SHOP_REQUEST_ID, SHOP_ITEM}, "recsys.log_click($1, $2::%T)",
	NULL, "boolean", "an item of a request was clicked; false if that is logged already", SHOP_WRITES},
	{"log_add_to_cart", {SHOP_REQUEST_ID, SHOP_ITEM}, "recsys.log_add_to_cart($1, $2::%T)",
	NULL, "boolean", "an item of a request was put into the cart; false if that is logged already", SHOP_WRITES},
	{"log_event", {SHOP_REQUEST_ID, SHOP_KIND, SHOP_ITEM, SHOP_VALUE, SHOP_EVENT_KEY},
		"recsys.log_event($1, $2, $3::%T, $4, $5)",
	NULL, "boolean", "something has happened to an item of a request; false if it is logged already", SHOP_WRITES},
};

const int	RecsysNShopFunctions = lengthof(RecsysShopFunctions);
