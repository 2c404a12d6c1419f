/*
 * statement.h
 *	  Which statements stage the rows that they insert, and when these are entered.
 */
#ifndef RECSYS_STATEMENT_H
#define RECSYS_STATEMENT_H

/* Sets up the hooks; called when the library is loaded. */
extern void RecsysInitStatements(void);

#endif							/* RECSYS_STATEMENT_H */
