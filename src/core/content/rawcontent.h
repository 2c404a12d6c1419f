/*
 * rawcontent.h
 *	  Raw content as bytes, to be set aside until the counts of terms are known.
 */
#ifndef RECSYS_RAWCONTENT_H
#define RECSYS_RAWCONTENT_H

#include "core/content/contentmodel.h"

extern Size RecsysRawContentSize(const RecsysContentModel *model, const RecsysRawContent *raw);
extern void RecsysRawContentStore(const RecsysContentModel *model, const RecsysRawContent *raw,
								  char *dest);

/* Keeps pointing into src, which is aligned to 8 bytes. */
extern void RecsysRawContentLoad(const RecsysContentModel *model, const char *src,
								 RecsysRawContent *raw);

#endif							/* RECSYS_RAWCONTENT_H */
