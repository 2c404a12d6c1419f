/*
 * signalcontext.c
 *	  Which signal an error comes from, and how to do without it.
 */
#include "postgres.h"

#include "api/declare/missing.h"
#include "api/profile/signalcontext.h"

static void
add_context(void *arg)
{
	RecsysSignalContext *context = arg;
	RecsysShop *shop = context->shop;

	/* an index that has been named itself has no declaration to change */
	if (shop->declared == NULL)
		return;
	errcontext("signal \"%s\" of recommender \"%s\"", context->signal->label,
			   shop->definition->name);
	if (RecsysIsMissing(geterrcode()))
		errhint("%s",
				RecsysHintWithout(shop, "signals", list_make1(unconstify(char *, context->relation))));
}

void
RecsysBeginSignal(RecsysSignalContext *context, RecsysShop *shop, const RecsysSignal *signal,
				  const char *relation)
{
	context->shop = shop;
	context->signal = signal;
	context->relation = relation;
	context->callback.callback = add_context;
	context->callback.arg = context;
	context->callback.previous = error_context_stack;
	error_context_stack = &context->callback;
}

void
RecsysEndSignal(RecsysSignalContext *context)
{
	error_context_stack = context->callback.previous;
}
