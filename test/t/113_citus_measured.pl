# What a distributed recommender costs: the work of a training by node, which is checked, and how long
# lists take by each way, which is told.  RECSYS_CITUS_ROWS: so many interactions (30000).

use strict;
use warnings;

use Test::More;
use Time::HiRes qw(time);

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();
my $rows = $ENV{RECSYS_CITUS_ROWS} || 30_000;
my $users = int($rows / 72);
my $runs = 400;

$coordinator->safe_psql('postgres', qq(
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz);
	SELECT create_distributed_table('purchases', 'user_id');
	INSERT INTO purchases SELECT 1 + floor($users * random())::bigint, 1 + floor((27000::float8) ^ random())::bigint, 1,
		'2024-01-01'::timestamptz + 365 * random() * interval '1 day' FROM generate_series(1, $rows);
	CREATE INDEX by_user ON purchases (user_id);
	CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	ANALYZE purchases));

my $begin = time;
$coordinator->safe_psql('postgres', "SELECT recsys.distribute('home')");
note(sprintf('%d interactions of %d users: distribute %.2f s', $rows, $users, time - $begin));
$begin = time;
$coordinator->safe_psql('postgres', "SELECT recsys.retrain('home')");
note(sprintf('retrain %.2f s', time - $begin));

# what each node computes
for my $parts (2, 3)
{
	my $query = 'SELECT user_id, array_agg(product_id), array_agg(quantity), array_agg(purchased_at) FROM purchases GROUP BY user_id';
	my @work = split /,/, $coordinator->safe_psql('postgres', qq(
		SELECT array_to_string(pair_updates, ',') FROM recsys.train_plan('$query', $parts)));
	my ($sum, $most) = (0, 0);

	for (@work) { $sum += $_; $most = $_ if $_ > $most }
	is(scalar(@work), $parts, "$parts nodes");
	cmp_ok($most / $sum, '<=', 1.1 / $parts, sprintf('of %d pair updates no node has more than its part and a tenth: %.4f', $sum, $most / $sum));
}

# a user of the first worker's, by each way
my ($user) = grep { in_nodes($coordinator, 'purchases', $_) == $workers[0]->port } 1 .. 100;
my $shard = $workers[0]->safe_psql('postgres', "SELECT shard_name('home'::regclass, get_shard_id_for_distribution_column('purchases', $user))");
my $graph = $workers[0]->safe_psql('postgres', q(SELECT shard_name(graph::regclass, (SELECT shardid FROM pg_dist_shard WHERE logicalrelid = (SELECT indrelid FROM pg_index WHERE indexrelid = graph::regclass))) FROM recsys.distributed));
my %ways = (
	'1 coordinator: recommend' => [ $coordinator, sub { "SELECT * FROM recommend($user, 10, 'home')" } ],
	'2 coordinator: count(*) of the user' => [ $coordinator, sub { "SELECT count(*) FROM purchases WHERE user_id = $user" } ],
	"3 the user's worker: recommend" => [ $workers[0], sub { "SELECT * FROM recommend($user, 10, 'home')" } ],
	"4 the user's worker: recommend_from" => [ $workers[0], sub { "SELECT * FROM recsys.recommend_from($user, 10, '$shard', '$graph')" } ],
	"5 the user's worker: recommend by the shard's own graph" => [ $workers[0], sub { "SELECT * FROM recommend($user, 10, '$shard')" } ],
	'6 another worker: recommend' => [ $workers[1], sub { "SELECT * FROM recommend($user, 10, 'home')" } ]);
my %best;
for my $round (1 .. 3)
{
	for my $way (sort keys %ways)
	{
		my $ms = median_ms($ways{$way}[0], $runs, $ways{$way}[1]);

		$best{$way} = $ms if !defined $best{$way} || $ms < $best{$way};
	}
}
note(sprintf('%-60s %.3f ms', "$_:", $best{$_})) for sort keys %best;
note(sprintf('recommend through the coordinator is %.2f of count(*)', $best{'1 coordinator: recommend'} / $best{'2 coordinator: count(*) of the user'}));
ok($best{'1 coordinator: recommend'} > 0, 'measured');

$_->stop for $coordinator, @workers;
done_testing();
