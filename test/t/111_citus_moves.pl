# Shards move under load, nodes are added and drained: indexes stay in order, nobody is served anything
# else, and who was forgotten stays forgotten.

use strict;
use warnings;

use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;
use RecsysCitus;

skip_without_citus();

my ($coordinator, @workers) = new_citus();

create_purchases($coordinator, 20_000);
$coordinator->safe_psql('postgres', q(
	ALTER TABLE purchases ADD COLUMN id bigserial;
	ALTER TABLE purchases ADD PRIMARY KEY (id, user_id);
	SELECT create_distributed_table('purchases', 'user_id');
	CREATE INDEX home ON purchases USING recsys (user_id, product_id, quantity, purchased_at) WITH (similarity = cosine);
	CREATE TABLE visits (user_id bigint, product_id bigint, id bigserial, PRIMARY KEY (id, user_id));
	SELECT create_distributed_table('visits', 'user_id', colocate_with => 'purchases');
	INSERT INTO visits (user_id, product_id) SELECT user_id, product_id FROM purchases;
	CREATE INDEX seen ON visits USING recsys (user_id, product_id) WITH (similarity = cosine);
	SELECT recsys.distribute('home');
	SELECT recsys.distribute('seen')));

# users of one shard: the first three are forgotten, one of them before anything moves
my @users = split /\n/, $coordinator->safe_psql('postgres', q(
	SELECT user_id FROM purchases WHERE get_shard_id_for_distribution_column('purchases', user_id) =
		get_shard_id_for_distribution_column('purchases', 1)
	GROUP BY user_id HAVING count(*) > 10 ORDER BY user_id LIMIT 6));
my ($early, $meanwhile, $again, @others) = @users;
my $sources = sub { my ($node, $user, $index) = @_;
	$node->safe_psql('postgres', "SELECT string_agg(DISTINCT source, ',') FROM recommend($user, 5, '$index')") };

sub nobody_back
{
	my ($when, @forgotten) = @_;

	for my $node ($coordinator, @workers)
	{
		for my $index (qw(home seen))
		{
			is(join(' ', map { $sources->($node, $_, $index) } @forgotten), join(' ', ('popular') x @forgotten),
				"$when: " . $node->name . ", $index: who was forgotten stays so");
			is($sources->($node, $_, $index), 'history', "$when: " . $node->name . ", $index: others are served") for $others[0];
		}
	}
}

$coordinator->safe_psql('postgres', "SELECT recsys.forget_user('$_', $early)") for qw(purchases visits);
nobody_back('before', $early);

# writers and readers, for as long as shards move
my $directory = PostgreSQL::Test::Utils::tempdir();
append_to_file("$directory/write.sql", <<'SQL');
\set u random(200, 400)
\set p random(1, 250)
INSERT INTO purchases (user_id, product_id, quantity, purchased_at) VALUES (:u, :p, 1, now());
INSERT INTO visits (user_id, product_id) VALUES (:u, :p);
SQL
append_to_file("$directory/read.sql", <<'SQL');
\set u random(1, 400)
SELECT count(*) FROM recommend(:u, 5, 'home');
SQL
my @load = (pgbench($coordinator, 600, 2, '-f', "$directory/write.sql"), pgbench($workers[0], 600, 2, '-f', "$directory/read.sql"));
my %by_port = map { $_->port => $_ } @workers;
my $move = sub {
	my ($mode) = @_;
	my $from = $by_port{ in_nodes($coordinator, 'purchases', 1) };
	my ($to) = grep { $_ != $from } @workers;
	my ($status, $output, $error) = wait_moved($coordinator, 'purchases', 1, $from, $to, $mode);

	is($status, 0, "a shard is moved: $mode") or diag($error);
};

$move->('force_logical');
nobody_back('moved', $early);
my $run = start_psql($coordinator, qq(
	SELECT pg_sleep(0.2);
	SELECT recsys.forget_user('purchases', $meanwhile);
	SELECT recsys.forget_user('visits', $meanwhile)));
$move->('force_logical');
ok(finish($run), 'a user is forgotten while the shard moves');
nobody_back('forgotten meanwhile', $early, $meanwhile);
$move->('block_writes');
nobody_back('moved back', $early, $meanwhile);

# the index that was built anew has no marks yet, but its lists know it; and a merge marks them
my $shard = $coordinator->safe_psql('postgres', q(SELECT shard_name('home'::regclass, get_shard_id_for_distribution_column('purchases', 1))));
my $place = $by_port{ in_nodes($coordinator, 'purchases', 1) };
is($sources->($place, $_, $shard), 'popular', 'named by itself, the index of the shard has forgotten the user') for $early, $meanwhile;
is($place->safe_psql('postgres', "SELECT count(*) FROM explain_recommendation($early, 1, '$shard')"), 0, 'and has no reasons from what was');
is($sources->($place, $others[0], $shard), 'history', 'others are served by it');
$coordinator->safe_psql('postgres', "SELECT recsys.merge('$_')") for qw(home seen);
is($sources->($place, $early, $shard), 'popular', 'after a merge, the index of the shard has forgotten the user as well');

# what comes after the forgetting counts, where times tell
$coordinator->safe_psql('postgres', "INSERT INTO purchases (user_id, product_id, quantity, purchased_at) SELECT $early, p, 1, now() + interval '1 minute' FROM generate_series(1, 5) p");
is($sources->($coordinator, $early, 'home'), 'history', 'a user who comes back is served by what is new');
$move->('block_writes');
nobody_back('moved once more', $meanwhile);
$coordinator->safe_psql('postgres', "SELECT recsys.merge('home')");
is($coordinator->safe_psql('postgres', qq(SELECT count(*) FROM explain_recommendation($early, (SELECT item_id FROM recommend($early, 1, 'home')), 'home') WHERE because_item_id > 5)), 0,
	'and by nothing else');

# a node comes, and takes its part
my $third = citus_node('worker_3');
add_to_citus($coordinator, $third);
$coordinator->safe_psql('postgres', "SELECT rebalance_table_shards(shard_transfer_mode => 'block_writes')");
push @workers, $third;
$by_port{ $third->port } = $third;
isnt($coordinator->safe_psql('postgres', 'SELECT count(*) FROM pg_dist_shard_placement WHERE nodeport = ' . $third->port), 0, 'a node is added');
nobody_back('with three workers', $meanwhile);
is($coordinator->safe_psql('postgres', "SELECT nodes FROM recsys.distribute('home')"), 3, 'three nodes train');
nobody_back('trained by three', $meanwhile);

# and one goes
$coordinator->safe_psql('postgres', "SELECT citus_drain_node('127.0.0.1', ${\ $workers[1]->port}, 'block_writes')");
nobody_back('drained', $meanwhile);

$_->signal('TERM') for @load;
$_->finish for @load;
for my $load (@load)
{
	my $said = slurp_file($load->{recsys_log});

	is(join("\n", grep { /error/i && !/canceling|terminating|aborted while|interrupted/ } split /\n/, $said), '', 'the load ran without an error');
}
for my $index (qw(home seen))
{
	is(says($coordinator, "SELECT recsys.merge('$index', true)"), '', "$index: merge");
	is(says($coordinator, "SELECT recsys.check_index('$index')"), '', "$index: check_index of all shards");
}

$_->stop for $coordinator, @workers;
done_testing();
