# recsys.tune tries models on samples of the users before it tries them in full.  What it
# does is told by verbose => true.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

my $node = new_node('tuning', 'shared_buffers = 32MB', 'maintenance_work_mem = 128MB', 'max_parallel_maintenance_workers = 0');

# 2,400 users of clubs, who also take what is popular
$node->safe_psql('postgres', <<'SQL');
CREATE FUNCTION chance(n bigint, salt text) RETURNS double precision LANGUAGE sql IMMUTABLE
RETURN ('x' || substr(md5(n::text || salt), 1, 8))::bit(32)::bigint / 4294967296.0;
CREATE TABLE lines AS
SELECT DISTINCT u AS user_id, CASE WHEN chance(u * 12 + i, 'kind') < 0.6 THEN 100 + u % 40 * 10 + floor(10 * chance(u * 12 + i, 'club'))
	ELSE floor(100 * chance(u * 12 + i, 'popular') ^ 2) END::integer AS item_id
FROM generate_series(1, 2400) u, generate_series(1, 12) i;
CREATE TABLE few AS SELECT * FROM lines WHERE user_id <= 1000;
SQL

# The trials that a call tells of, in their order
sub trials
{
	my ($arguments) = @_;
	my ($code, $out, $error) = $node->psql('postgres',
		"SELECT rank, users, value, model, p_popular, honest_value FROM recsys.tune($arguments, resamples => 0, verbose => true)");
	my @trials;

	while ($error =~ /INFO:  trial (\d+)(?:, on (\d+) users)?: ([\d.]+), trained in \d+ ms, evaluated in \d+ ms: (.*)/g)
	{
		push @trials, { number => $1, users => $2, value => $3, model => $4 };
	}
	is($code, 0, "tune($arguments)") or diag($error);
	return ([ split /\n/, $out ], \@trials, $error);
}

my ($rows, $trials, $said) = trials("'SELECT * FROM lines', trials => 16, time_limit => NULL");
my ($users) = $said =~ /and \d+ of (\d+) users for testing/;
my @samples = grep { defined $_->{users} } @$trials;
my @full = grep { !defined $_->{users} } @$trials;
my %asked = map { $_->{users} => 1 } @samples;

# the models that were learned from all users come when those of the sample have been tried;
# what similarity = auto chooses, which comes before all samples, is the first of them
my %first = ($trials->[1]{model} => 1);
my (@whole, @part);
foreach my $trial (@samples)
{
	my $again = $first{ $trial->{model} }++ || @whole > 0;
	push @{ $again ? \@whole : \@part }, $trial;
}
is($trials->[0]{model}, 'similarity = popular', 'bestsellers come first');
is($trials->[1]{users}, undef, 'what auto chooses is tried in full');
is($trials->[1]{value}, $node->safe_psql('postgres', "SELECT round(value::numeric, 5) FROM recsys.evaluate('SELECT * FROM lines', '', k => '{10}', metrics => '{ndcg}', resamples => 0)"), 'as evaluate has it');
is(scalar(keys %asked), 1, 'samples ask the same users');
cmp_ok(abs((keys %asked)[0] / $users - 1 / 4), '<', 0.03, 'a quarter of them');
cmp_ok(scalar(@part), '>=', 16, 'many models are tried on the sample');
cmp_ok(scalar(@whole), '>=', 8, 'fewer are learned from all users');
cmp_ok(scalar(@full), '<', scalar(@whole), 'fewer still are measured in full');
cmp_ok(@part + 2 * @whole + 4 * (@full - 1), '<=', 64, 'all of it costs no more than 16 full trials');
cmp_ok(@part + 2 * @whole + 4 * (@full - 1), '>=', 58, 'and nothing is left over');
is(scalar(@$rows), scalar(@full), 'rows are full trials');
is((grep { (split /\|/)[1] != $users } @$rows), 0, 'of all users');
is((grep { /\|similarity = popular\|/ } @$rows), 1, 'with bestsellers among them, once');
cmp_ok((grep { /rp3beta/ } map { $_->{model} } @samples), '>=', 6, 'the valley of rp3beta is looked through');

# a model that is learned from all users is worth as much to a part of them
my %in_full = map { $_->{model} => $_->{value} } @full;
my @both = grep { defined $in_full{ $_->{model} } } @whole;
cmp_ok(scalar(@both), '>=', 4, 'models on both levels');
is((grep { abs($_->{value} - $in_full{ $_->{model} }) > 0.03 } @both), 0, 'with about the same value');
foreach my $trial (@full)
{
	my ($value) = $node->safe_psql('postgres', "SET client_min_messages = error; SELECT round(value::numeric, 5) FROM recsys.evaluate('SELECT * FROM lines', '$trial->{model}', k => '{10}', metrics => '{ndcg}', resamples => 0)");
	is($trial->{value}, $value, "in full it is what evaluate says: $trial->{model}");
}
is_deeply([ map { $_->{value} } sort { $b->{value} <=> $a->{value} } @full ], [ map { sprintf '%.5f', (split /\|/)[2] } @$rows ], 'best first');

# what the best is worth to those who had no part in the choice
my @best = split /\|/, $rows->[0], -1;
isnt($best[5], '', 'the best has an honest value');
cmp_ok(abs($best[5] - $best[2]), '<', 0.02, 'which is near its value');
is((grep { (split /\|/, $_, -1)[5] ne '' } @$rows), 1, 'it alone');

# nearly as good as trying many in full
my $grid = $node->safe_psql('postgres', <<'SQL');
SET client_min_messages = error;
SELECT max(value) FROM recsys.tune('SELECT * FROM lines', trials => 200, resamples => 0, time_limit => NULL, models => ARRAY[
	'similarity = rp3beta, min_support = {1, 2}, neighbors = 200, alpha = {0.4, 0.6, 0.8, 1, 1.2}, beta = {0, 0.2, 0.3, 0.5, 0.7}',
	'similarity = {cosine, jaccard, log_likelihood, confidence, lift}, min_support = {1, 2}, shrinkage = {0, 10}'])
SQL
cmp_ok($best[2], '>=', 0.97 * $grid, 'the best is as good as the best of a grid') or diag("$best[2] of $grid");

# the same again; other users with another seed; all of them when there are few
my (undef, $again) = trials("'SELECT * FROM lines', trials => 16, time_limit => NULL");
is_deeply($again, $trials, 'the same trials again');
my (undef, $other) = trials("'SELECT * FROM lines', trials => 16, time_limit => NULL, seed => 1");
isnt($other->[2]{value}, $trials->[2]{value}, 'another sample');
my ($few_rows, $few) = trials("'SELECT * FROM few', trials => 16, time_limit => NULL");
is((grep { defined $_->{users} } @$few), 0, 'few users are all asked');
is(scalar(@$few_rows), 17, 'in so many trials, and bestsellers');
my ($single, $one) = trials("'SELECT * FROM lines', trials => 1, time_limit => NULL");
is(scalar(@$single), 2, 'a single trial is a full one');

# an option that is taken back to its default is the model without it
is($node->safe_psql('postgres', <<'SQL'), 0, 'no model is tried twice');
SET client_min_messages = error;
SELECT count(*) FROM (
	SELECT 1 FROM recsys.tune('SELECT *, timestamp ''2024-01-01'' + item_id * interval ''1 day'' FROM few WHERE user_id < 300', trials => 60, time_limit => NULL, resamples => 0)
	GROUP BY replace(model, ', half_life = ''''', '') HAVING count(*) > 1) t
SQL

# samples have the weights of their rows: where all are 1 it does not matter what is made of them
(undef, $trials) = trials("'SELECT *, 1.0 AS quantity FROM lines', trials => 100, time_limit => NULL");
foreach my $model ('similarity = als', 'similarity = rp3beta, neighbors = 200, alpha = 0.6, beta = 0.3')
{
	my ($plain, $weighted) = map { my $text = $_; (grep { defined $_->{users} && $_->{model} eq $text } @$trials)[0]{value} }
		("$model, weight_transform = binary", $model);
	ok(defined $plain && defined $weighted && abs($plain - $weighted) < 0.001, "$model: $plain, $weighted");
}

# a limit leaves time for full trials; there is one, whatever the limit
my ($short) = trials("'SELECT * FROM lines', trials => 1000, time_limit => '4 seconds'");
cmp_ok(scalar(@$short), '>=', 2, 'some in four seconds');
my ($none) = trials("'SELECT * FROM lines', trials => 1000, time_limit => '1 microsecond'");
is(scalar(@$none), 2, 'one in no time');

# what is finished is told when the statement is cancelled
my ($code, $out, $error) = $node->psql('postgres', "SET statement_timeout = '2s'; SELECT * FROM recsys.tune('SELECT * FROM lines', trials => 1000, time_limit => NULL)");
like($error, qr/NOTICE:  \d+ models had been tried before tuning was ended\nDETAIL:  Best first:\n[\d.]+  similarity = (?!popular).*\n[\d.]+  similarity = popular\n[\d.]+  similarity = .* \(on \d+ users\)\n/, 'samples are told');

done_testing();
