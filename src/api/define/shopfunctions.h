/*
 * shopfunctions.h
 *	  Which functions recsys.create_functions makes: their parameters, columns and calls.
 */
#ifndef RECSYS_SHOPFUNCTIONS_H
#define RECSYS_SHOPFUNCTIONS_H

#include "postgres.h"

/* A parameter.  Its type stands here or, of users and items, in the shop's index. */
typedef enum RecsysShopParameter
{
	SHOP_END,					/* behind the last one */
	SHOP_USER,
	SHOP_USER_OR_NULL,			/* with the default NULL */
	SHOP_ITEM,
	SHOP_ITEMS,
	SHOP_ITEM_IDS,				/* items, as what logs calls them */
	SHOP_K,
	SHOP_CONTEXT,
	SHOP_CONTEXT_OR_NULL,
	SHOP_SESSION,
	SHOP_RECOMMENDER,			/* with the shop's as default: an experiment or a bandit can stand there */
	SHOP_REQUEST_ID,
	SHOP_REQUEST,
	SHOP_KIND,
	SHOP_VALUE,
	SHOP_EVENT_KEY,
	SHOP_SEGMENT,
	SHOP_ATTRIBUTES
} RecsysShopParameter;

#define SHOP_MAX_PARAMETERS 6

/*
 * How a parameter is declared.  Of type ANYCOMPATIBLE are the shop's users, of ANYELEMENT its
 * items, of ANYARRAY several items.
 */
typedef struct RecsysShopDeclaration
{
	const char *text;
	Oid			type;
} RecsysShopDeclaration;

/* What a function does, or lives on */
typedef enum RecsysShopKind
{
	SHOP_READS,
	SHOP_READS_SEGMENTS,		/* made if they are declared */
	SHOP_READS_CONTENT,			/* likewise */
	SHOP_WRITES
} RecsysShopKind;

/*
 * call: what is called, with the parameters as $1, $2 …  In calls and declarations stand
 *	  %U	the type of the shop's users
 *	  %I	the type of its items
 *	  %R	the shop's recommender, as a literal
 *	  %T	the type of item keys in calls
 *	  %V	the schema of recommend and its like
 */
typedef struct RecsysShopFunction
{
	const char *name;
	RecsysShopParameter parameters[SHOP_MAX_PARAMETERS + 1];
	const char *call;
	const char *item_column;	/* the first column of the result; NULL: not a table */
	const char *result;			/* the columns behind that, or the type */
	const char *comment;
	RecsysShopKind kind;
} RecsysShopFunction;

extern const RecsysShopDeclaration RecsysShopDeclarations[];
extern const RecsysShopFunction RecsysShopFunctions[];
extern const int RecsysNShopFunctions;

#endif							/* RECSYS_SHOPFUNCTIONS_H */
