/*
 * test_blaskind.c
 *	  Tests of core/dense/blaskind: libraries by their files and symbols.
 */
#include "core/dense/blaskind.h"
#include "tap.h"

static bool
has(void *arg, const char *symbol)
{
	return arg != NULL && strcmp(arg, symbol) == 0;
}

static bool
is(const char *expected, const char *file, const char *symbol)
{
	const char *kind = RecsysBlasKind(file, has, (void *) symbol);

	return expected == NULL ? kind == NULL : kind != NULL && strcmp(kind, expected) == 0;
}

void
test_blaskind(void)
{
	ok(is(NULL, "/usr/lib/x86_64-linux-gnu/blas/libblas.so.3.11.0", NULL), "Debian's reference BLAS");
	ok(is(NULL, "/usr/lib64/libblas.so.3.11.0", NULL), "Fedora's reference BLAS");
	ok(is(NULL, "libblas.so.3", NULL), "a file that cannot be told");
	ok(is("OpenBLAS", "/usr/lib/x86_64-linux-gnu/openblas-serial/libblas.so.3", NULL), "OpenBLAS by its directory");
	ok(is("OpenBLAS", "/opt/lib/libblas.so.3", "openblas_get_config"), "OpenBLAS by its symbol");
	ok(is("OpenBLAS", "/opt/OpenBLAS-0.3/lib/libfast.so", NULL), "a directory in capitals");
	ok(is("BLIS", "/usr/lib/x86_64-linux-gnu/blis-serial/libblas.so.3", NULL), "BLIS");
	ok(is("ATLAS", "/usr/lib/x86_64-linux-gnu/atlas/libblas.so.3.10.3", NULL), "ATLAS");
	ok(is("oneMKL", "/usr/lib/x86_64-linux-gnu/libmkl_rt.so", NULL), "oneMKL");
	ok(is("OpenBLAS", "/usr/lib/x86_64-linux-gnu/blis/libblas.so.3", "openblas_get_config"), "a symbol says more than a file");
}
