/*
 * model_argument.c
 *	  Models given as text: what stands in CREATE INDEX … WITH (…).
 *
 * The text is read by the server's own grammar and checked by the access
 * method's options, so that whatever can be said of an index can be said here,
 * and the other way round.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "am/store/options.h"
#include "api/measure/model_argument.h"
#include "compat.h"
#include "nodes/parsenodes.h"
#include "parser/parser.h"
#include "utils/rel.h"

#define PREFIX "CREATE INDEX ON t USING recsys (u, i) WITH ("

/* Points a syntax error at the text instead of at the statement that calls us. */
static void
point_into_text(void *arg)
{
	const char *text = arg;
	int			position = geterrposition();

	if (position > 0)
	{
		errposition(0);
		internalerrposition(position > (int) strlen(PREFIX) ? position - (int) strlen(PREFIX) : 1);
		internalerrquery(text);
	}
	errcontext("model \"%s\"", text);
}

static List *
parse_options(const char *text)
{
	List	   *statements = raw_parser(psprintf(PREFIX "%s)", text), RAW_PARSE_DEFAULT);
	IndexStmt  *statement;

	if (list_length(statements) != 1 || !IsA(linitial_node(RawStmt, statements)->stmt, IndexStmt))
		return NULL;
	statement = (IndexStmt *) linitial_node(RawStmt, statements)->stmt;
	if (statement->whereClause != NULL || statement->tableSpace != NULL)
		return NULL;
	return statement->options;
}

/* A similarity alone, as an argument of that name would take it elsewhere */
static void
check_names(List *options)
{
	ListCell   *cell;

	foreach(cell, options)
	{
		DefElem    *option = lfirst_node(DefElem, cell);
		RecsysSimilarity similarity;

		if (option->arg == NULL && RecsysSimilarityParse(option->defname, &similarity))
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("\"%s\" is not an option of a model", option->defname),
					 errhint("Write similarity = %s.", RecsysSimilarityName(similarity))));
	}
}

void
RecsysParseModelText(const char *text, RecsysModelText *model)
{
	RecsysParseTaskModel(text, RECSYS_TASK_NEXT_ITEM, model);
}

void
RecsysParseTaskModel(const char *text, RecsysTask task, RecsysModelText *model)
{
	static RECSYS_RELOPTION_NAMESPACE namespaces[] = {NULL};
	RelationData fake = {0};
	RecsysModelOptions asked;
	ErrorContextCallback callback;

	callback.callback = point_into_text;
	callback.arg = (void *) text;
	callback.previous = error_context_stack;
	if (text != NULL)
		error_context_stack = &callback;
	model->method = RECSYS_BASKET_MIX;
	model->mix = RecsysNextBasketDefaults;

	/* only the options of the relation are looked at */
	if (text != NULL && strspn(text, " \t\r\n") < strlen(text))
	{
		List	   *options = parse_options(text);

		if (options == NIL)
			ereport(ERROR,
					(errcode(ERRCODE_SYNTAX_ERROR),
					 errmsg("invalid model"),
					 errhint("Write what stands in the WITH clause of an index, for example 'similarity = cosine, neighbors = 200'.")));
		if (task == RECSYS_TASK_NEXT_BASKET)
			options = RecsysTakeBasketOptions(options, &model->method, &model->mix);
		check_names(options);
		fake.rd_options = RecsysParseOptions(transformRelOptions((Datum) 0, options, NULL, namespaces,
																 false, false), true);
	}
	RecsysGetModelOptions(&fake, &model->options);
	model->max_history = model->options.max_history;
	model->half_life = RecsysGetHalfLife(&fake);
	RecsysGetAskedOptions(&fake, &asked);
	if (asked.similarity == RECSYS_AUTO)
	{
		model->options = asked;
		if (!RecsysHalfLifeIsSet(&fake))
			model->half_life = -1;
	}
	if (text != NULL)
		error_context_stack = callback.previous;
}
