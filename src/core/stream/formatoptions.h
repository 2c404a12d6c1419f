/*
 * formatoptions.h
 *	  Options of the formats that messages of a stream can have.
 */
#ifndef RECSYS_FORMATOPTIONS_H
#define RECSYS_FORMATOPTIONS_H

#include "core/base/platform.h"

extern bool RecsysFormatHasOption(const char *format, const char *option);

/* Options of a format by number, from 0; NULL behind the last. */
extern const char *RecsysFormatOption(const char *format, int number);

#endif							/* RECSYS_FORMATOPTIONS_H */
