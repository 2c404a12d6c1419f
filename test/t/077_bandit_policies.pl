# The policies of bandits learn as theory says, on small editions of the published settings that
# test/bench/bandits.sh runs, and the plots that it writes are whole.  No server is started.

use strict;
use warnings;

use File::Basename;
use PostgreSQL::Test::Utils;
use Test::More;

my $script = dirname(__FILE__) . '/../bench/bandits.sh';

plan(skip_all => 'the benchmark is not beside the tests') unless -f $script;
plan(skip_all => 'no C compiler') if system("cc --version >/dev/null 2>&1") != 0;

my $plots = PostgreSQL::Test::Utils::tempdir();
my $said = `bash '$script' runs=20 trials=10000 plots='$plots' auer linear 2>&1`;

is($? >> 8, 0, 'all verdicts are as they should be') or diag($said);
unlike($said, qr/NOT OK/, 'none of them fails');
cmp_ok(scalar(() = $said =~ /^ok - /mg), '>=', 20, 'and there are some');
like($said, qr/^\| Thompson \| \d+\.\d ± \d+\.\d \|/m, 'regret is printed with its error');
like($said, qr/^Lai and Robbins: .* 44\.8$/m, 'beside the bound of Lai and Robbins');

for my $name (qw(auer1 auer2 auer3 auer11 auer12 auer13 auer14 linear linear_shared))
{
	my $svg = -f "$plots/$name.svg" ? slurp_file("$plots/$name.svg") : '';

	ok($svg =~ /^<svg / && $svg =~ m{</svg>\n\z} && $svg !~ /nan|inf/ &&
		  (() = $svg =~ /<polyline/g) >= 3, "the plot $name is whole");
}

is(system("bash '$script' nonsense >/dev/null 2>&1") >> 8, 2, 'an unknown part is refused');

done_testing();
