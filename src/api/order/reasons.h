/*
 * reasons.h
 *	  Reasons as text that people read.
 *
 * Kinds are history, context (what is in the cart or has been looked at), negative (what a
 * signal pushes down, or the user has rated low), popularity (by the index's model), promotion,
 * fatigue (what was shown in vain), "seller and price" (the factors of both), content (what is like an item of the user), and where
 * items without a score are from: popular, category, seller, segment, price, new, any.
 */
#ifndef RECSYS_REASONS_H
#define RECSYS_REASONS_H

#include "postgres.h"

#include "api/declare/definition.h"

/*
 * The text for a kind of reason: {item} is the title or key of the user's item, {value} that of a
 * segment, category …, and for interactions the label of their signal, as {signal} is.
 * NULLs are left out.  The shop's format is used where it has one for the kind, for a history that of
 * the signal (may be NULL) where it has one.  In a format,
 * {{ and }} are braces; what else is in braces stays as it is.
 */
extern char *RecsysReasonText(const RecsysDefinition *definition, const char *kind,
							  const RecsysSignal *signal, const char *because_title,
							  const char *value);

#endif							/* RECSYS_REASONS_H */
