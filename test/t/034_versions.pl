# What stands between versions: src/compat.h, which knows the server's, and how the tests
# count what could not run here.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

my $tree = "$ENV{RECSYS_LOAD}/../..";
my $here = PostgreSQL::Test::Utils::tempdir();

# What the compiler's first pass says of compat.h, if this were that version.
sub compat
{
	my ($version, @flags) = @_;

	PostgreSQL::Test::Utils::append_to_file("$here/$version.c", qq(
		#include "postgres.h"
		#undef PG_VERSION_NUM
		#define PG_VERSION_NUM $version
		#include "compat.h"));
	my ($stdout, $stderr) = run_command([ 'gcc', '-E', '-o', '/dev/null', "-I$tree/src",
		"-I$ENV{RECSYS_INCLUDES}", @flags, "$here/$version.c" ]);
	unlink "$here/$version.c";
	return $stderr;
}

my ($major) = `pg_config --version` =~ /(\d+)/;

is(compat("${major}0000"), '', "compat.h knows PostgreSQL $major");
like(compat(140000), qr/#error.*needs PostgreSQL 15 or newer/, 'an old version is refused');
like(compat(190000), qr/#error.*not known to work.*RECSYS_ANY_POSTGRESQL=1/, 'an unknown one is refused');
unlike(compat(190000, '-DRECSYS_ANY_POSTGRESQL'), qr/#error/, 'unless somebody wants to try');

my @others = grep { !/compat\.h$/ } split /\n/, `grep -rlE 'PG_VERSION_NUM|PG_MAJORVERSION' '$tree/src' --include='*.[ch]'`;
is("@others", '', 'no other file asks for the version');

# Counts, and whether the file counts as one that passed
sub counted
{
	my ($output, $status) = @_;

	PostgreSQL::Test::Utils::append_to_file("$here/tap", $output);
	my ($stdout) = run_command([ 'bash', '-c', '. "$1" && results_tap "$2" "$3" file >/dev/null; echo $? $RESULTS_PASSED $RESULTS_FAILED', '-',
		"$tree/test/lib/results.sh", "$here/tap", $status ]);
	unlink "$here/tap";
	return $stdout;
}

is(counted("ok 1 - a\nok 2 # skip b\n1..2\n", 0), '0 1 0', 'results: a skipped test counts as nothing');
is(counted("1..0 # SKIP only root can\n", 0), '0 0 0', 'a skipped file too');
is(counted("1..0 # SKIP only root can\n", 1), '1 0 1', 'but not if it failed');
is(counted("ok 1 # skip a\n1..1\n", 0), '0 0 0', 'a file whose tests were all skipped');
is(counted("1..0\n", 0), '1 0 1', 'a file without tests has failed');
is(counted('', 0), '1 0 1', 'and one that says nothing');
is(counted("ok 1 - a\n1..2\n", 0), '1 1 1', 'and one that stopped');
is(counted("ok 1 - a\n1..1\n", 3), '1 1 1', 'and one that died');
is(counted("not ok 1 - a\nok 2 - b\n1..2\n", 1), '1 1 1', 'and one with a failure');

# The closing lines of scripts add up.
my ($stdout) = run_command([ 'bash', '-c', '. "$1"
	says() { echo "$1"; return $2; }
	results_of one says "recsys: 3 passed, 1 failed" 1
	results_of two says "recsys: 4 passed, 0 failed" 0
	results_of three says "three: skipped: no root" 0
	results_of four says "stopped" 2
	results_report', '-', "$tree/test/lib/results.sh" ]);
like($stdout, qr/^three: skipped: no root$/m, 'what a script prints is shown');
like($stdout, qr/\nrecsys: 7 passed, 2 failed$/, 'one that ends without a line and not well has failed');
is(() = $stdout =~ /^recsys: /mg, 1, 'and there is one closing line');

done_testing();
