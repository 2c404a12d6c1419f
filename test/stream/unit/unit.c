/*
 * unit.c
 *	  Runs all tests of the decoder and reports in TAP.
 */
#include "unit.h"

int			tests;
int			failures;

int
main(void)
{
	test_json();
	test_values();
	test_times();
	test_pseudonyms();
	test_csv();
	test_messages();
	test_avro();
	test_registry();
	test_hostile();
	printf("1..%d\n", tests);
	return failures > 0;
}
