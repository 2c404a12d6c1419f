/*
 * experimentdefinition.h
 *	  From what is declared of an experiment to what is kept.
 */
#ifndef RECSYS_EXPERIMENTDEFINITION_H
#define RECSYS_EXPERIMENTDEFINITION_H

#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/pg_list.h"
#include "utils/jsonb.h"

typedef struct RecsysExperimentParameter
{
	const char *name;
	Oid			type;			/* of the SQL functions' argument */
	bool		is_fixed;		/* once the experiment has been started it stays as it is */
} RecsysExperimentParameter;

/* In the order of the SQL functions' arguments, from the second one on */
extern const RecsysExperimentParameter RecsysExperimentParameters[];
extern const int RecsysExperimentParameterCount;

/*
 * The definition to keep.  given: parameters by their names, an interval as text; kept: the definition
 * that is being changed, or NULL; reset: names of parameters whose defaults are to hold again.
 * Everything given is looked up with the rights and the search path of the current user, and nothing
 * of it is run.  To be called while nobody else changes experiments.
 */
extern Jsonb *RecsysMakeExperiment(const char *name, Jsonb *given, Jsonb *kept, List *reset,
								   bool is_started, bool is_stopped);

/* The same with the field "winner", of an experiment that is being stopped; NULL: none */
extern Jsonb *RecsysWithWinner(Jsonb *definition, const char *winner);

#endif							/* RECSYS_EXPERIMENTDEFINITION_H */
