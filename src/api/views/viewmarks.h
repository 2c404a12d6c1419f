/*
 * viewmarks.h
 *	  The comments by which views that recsys.create_views has made are known, and may be replaced.
 */
#ifndef RECSYS_VIEWMARKS_H
#define RECSYS_VIEWMARKS_H

#include "postgres.h"

/* A comment with the mark of a recommender: "made by recsys.create_views for 'home': text" */
extern char *RecsysViewComment(const char *recommender, const char *text);

/* Is it a view or materialized view that has been made for any recommender; for this one? */
extern bool RecsysIsMadeView(Oid relation);
extern bool RecsysIsMadeViewOf(Oid relation, const char *recommender);

/* The recommender that it has been made for. */
extern char *RecsysMadeViewRecommender(Oid relation);

/* Is there a recommender of that name, whoever may use it? */
extern bool RecsysRecommenderExists(const char *name);

/*
 * Errors out unless a relation with a mark may be replaced by the current user: it is his, and of
 * that recommender, or of one that is no more.
 */
extern void RecsysCheckMadeView(Oid relation, const char *recommender);

#endif							/* RECSYS_VIEWMARKS_H */
