/*
 * test_core.c
 *	  Runs all tests of src/core and reports in TAP.
 */
#include "tap.h"

#include <stdarg.h>

static int	tests = 0;
static int	failures = 0;

void
ok(bool passed, const char *format,...)
{
	va_list		arguments;

	tests++;
	if (!passed)
		failures++;
	printf("%sok %d - ", passed ? "" : "not ", tests);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
	fflush(stdout);
}

int
main(void)
{
	test_keys();
	test_dictionary();
	test_history();
	test_exactsum();
	test_blaskind();
	test_rhythm();
	test_burst();
	test_nextbasket();
	test_similarity();
	test_matrix();
	test_cooccurrence();
	test_headmatrix();
	test_trainparts();
	test_crossgraph();
	test_packedrow();
	test_scorer();
	test_narrowadd();
	test_batchscorer();
	test_itemset();
	test_rule_measures();
	test_metrics();
	test_offpolicy();
	test_evaluation();
	test_models();
	test_rules();
	test_dense();
	test_als();
	test_factorsketch();
	test_smallsystem();
	test_recency();
	test_prior();
	test_sessionknn();
	test_choice();
	test_arrange();
	test_titlegroups();
	test_content();
	test_titlevariants();
	test_usualprice();
	test_sameness();
	test_image();
	test_armtest();
	test_peeking();
	test_bestarm();
	test_policy();
	test_linearpolicy();
	test_retirement();
	test_assignment();
	test_preference();
	test_brokeroptions();
	test_streampath();
	ok(standalone_memory_now == 0, "all memory was freed (%zu bytes left)",
	   standalone_memory_now);
	printf("1..%d\n", tests);
	return failures > 0;
}
