/*
 * streamfault.h
 *	  Places where a test can stop the program: RECSYS_STREAM_FAULT("name").
 *
 * They are there only in a build with RECSYS_FAULTS=1; elsewhere the macro is nothing.  A point is named
 * after the step that is complete, or about to be made, when it is reached.  The environment arms them:
 *
 *		RECSYS_STREAM_FAULT=name:kill			the process dies as by kill -9
 *		RECSYS_STREAM_FAULT=name:kill:3			the same, when the point is reached for the third time
 *		RECSYS_STREAM_FAULT=name:sleep:500		it sleeps 500 ms each time
 *		RECSYS_STREAM_FAULT=any:kill:1000		at each point, with a chance of 1 in 1000
 *
 * A process that is started in the place of a dead one counts anew.
 */
#ifndef RECSYS_STREAMFAULT_H
#define RECSYS_STREAMFAULT_H

#ifdef RECSYS_FAULT_INJECTION

extern void RecsysStreamFault(const char *point);

#define RECSYS_STREAM_FAULT(point) RecsysStreamFault(point)

#else

#define RECSYS_STREAM_FAULT(point) ((void) 0)

#endif

#endif							/* RECSYS_STREAMFAULT_H */
