/*
 * profilepieces.h
 *	  The pieces that the scores of a user are made of: one for each signal that has something to say.
 */
#ifndef RECSYS_PROFILEPIECES_H
#define RECSYS_PROFILEPIECES_H

#include "postgres.h"

#include "api/candidates/scorepiece.h"

/* Their graphs are open until RecsysClosePieceGraph; in the order of the signals.  Returns how many. */
extern int	RecsysMakePieces(const RecsysShopProfile *profile, RecsysScorePiece **pieces);

#endif							/* RECSYS_PROFILEPIECES_H */
