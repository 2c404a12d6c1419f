/*
 * fault.h
 *	  Places where tests make the server fail.
 */
#ifndef RECSYS_FAULT_H
#define RECSYS_FAULT_H

#define RECSYS_FAULT(name) ((void) 0)

#endif							/* RECSYS_FAULT_H */
