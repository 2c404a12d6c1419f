/*
 * blaskind.c
 *	  Which implementation of BLAS a library is.
 *
 * All of them define the same routines, so they are told by what each defines beside
 * them, and where there is no such thing by the name of the file: distributions keep every
 * implementation in a directory of its own, and point to it by a link libblas.so.3.
 * The reference implementation has no mark of its own.
 */
#include "core/dense/blaskind.h"

typedef struct Implementation
{
	const char *name;
	const char *symbol;
	const char *file;			/* part of a file's name, or of a directory's */
} Implementation;

static const Implementation implementations[] = {
	{"OpenBLAS", "openblas_get_config", "openblas"},
	{"BLIS", "bli_info_get_version_str", "blis"},
	{"oneMKL", "mkl_get_version_string", "mkl"},
	{"ATLAS", "ATL_buildinfo", "atlas"},
	{"Arm Performance Libraries", "armplversion", "armpl"},
	{"NVPL", "nvpl_blas_get_version", "nvpl"},
	{"FlexiBLAS", "flexiblas_info", "flexiblas"},
};

static bool
has_part(const char *file, const char *part)
{
	Size		length = strlen(part);

	for (; *file != '\0'; file++)
	{
		Size		x = 0;

		while (x < length && (file[x] | 0x20) == part[x])
			x++;
		if (x == length)
			return true;
	}
	return false;
}

const char *
RecsysBlasKind(const char *file, RecsysBlasHasSymbol has, void *arg)
{
	for (int x = 0; x < (int) lengthof(implementations); x++)
		if (has(arg, implementations[x].symbol))
			return implementations[x].name;
	for (int x = 0; x < (int) lengthof(implementations); x++)
		if (has_part(file, implementations[x].file))
			return implementations[x].name;
	return NULL;
}
