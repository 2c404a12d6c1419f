/*
 * categorytarget.h
 *	  Which share each category has in what a user has.
 */
#ifndef RECSYS_CATEGORYTARGET_H
#define RECSYS_CATEGORYTARGET_H

#include "postgres.h"

#include "api/eligible/itemrows.h"
#include "api/profile/shopprofile.h"

/* Shares by label, palloc'd; returns how many there are, with that of label 0. */
extern int	RecsysCategoryTarget(const RecsysShopProfile *profile, RecsysItems *items,
								 double **target);

#endif							/* RECSYS_CATEGORYTARGET_H */
