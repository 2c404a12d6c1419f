# A partitioned table while sessions write, read, and merge, others attach, detach, truncate and vacuum its
# partitions, and the server crashes once: nothing fails but for what is refused, and what the recommender
# answers in the end is what a plain table with the same rows answers.
#
# RECSYS_PARTS_SECONDS makes it longer.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use RecsysTest;

my $seconds = $ENV{RECSYS_PARTS_SECONDS} // 4;
my $node = new_node('primary', 'autovacuum = off', 'timezone = UTC', 'shared_buffers = 64MB', 'deadlock_timeout = 100ms');
my @months = map { sprintf "FROM ('2024-%02d-01') TO ('2024-%02d-01')", $_, $_ + 1 } 1 .. 6;

$node->safe_psql('postgres', join '',
	'CREATE TABLE p (id bigint, user_id int, item_id int, at date NOT NULL) PARTITION BY RANGE (at);',
	(map { "CREATE TABLE p$_ PARTITION OF p FOR VALUES $months[$_ - 1];" } 1 .. 6),
	q(INSERT INTO p SELECT i, i * 37 % 200, (i * 13 + i / 200) % 150, '2024-01-01'::date + i % 180 FROM generate_series(1, 6000) i;
	CREATE INDEX p_recsys ON p USING recsys (user_id, item_id, at) WITH (similarity = cosine);));

# What sessions do all the time.  A row may have no partition for a moment, two sessions may wait for
# each other, and a row may be moved away from under an UPDATE.
my $refused = "EXCEPTION WHEN check_violation OR deadlock_detected OR serialization_failure OR object_not_in_prerequisite_state THEN NULL";
my @writers = (
	"DO \$\$ BEGIN INSERT INTO p SELECT n, random() * 200, random() * 160, '2024-01-01'::date + (random() * 179)::int FROM generate_series(1, 1 + (random() * 40)::int) n; $refused; END \$\$",
	"DO \$\$ BEGIN INSERT INTO p VALUES (7, random() * 200, random() * 160, '2024-01-01'::date + (random() * 179)::int); $refused; END \$\$",
	"DO \$\$ BEGIN UPDATE p SET at = at + 30 WHERE user_id = (random() * 200)::int AND at < '2024-06-01'; $refused; END \$\$",
	"DO \$\$ BEGIN DELETE FROM p WHERE item_id = (random() * 160)::int AND id % 3 = 1; $refused; END \$\$",
	"DO \$\$ BEGIN INSERT INTO p SELECT n, n, n, '2024-02-01'::date + n FROM generate_series(1, 60) n; RAISE division_by_zero; EXCEPTION WHEN division_by_zero OR check_violation OR deadlock_detected THEN NULL; END \$\$");
my @others = (
	q(SELECT count(*) FROM recommend((random() * 200)::int, 10, 'p_recsys')),
	q(DO $$ BEGIN PERFORM recsys.merge('p_recsys'); EXCEPTION WHEN deadlock_detected THEN NULL; END $$));

# What happens to a partition
sub change
{
	my ($n) = @_;
	my $bounds = "FOR VALUES $months[$n - 1]";
	my @kinds = (
		[ "ALTER TABLE p DETACH PARTITION p$n", "DELETE FROM p$n WHERE id % 5 = 2", "INSERT INTO p$n SELECT 1, 2, 3, '2024-0$n-01'", "VACUUM p$n", "ALTER TABLE p ATTACH PARTITION p$n $bounds" ],
		[ "ALTER TABLE p DETACH PARTITION p$n CONCURRENTLY", "ALTER TABLE p ATTACH PARTITION p$n $bounds" ],
		[ "BEGIN; TRUNCATE p$n; INSERT INTO p$n SELECT i, i, i, '2024-0$n-01' FROM generate_series(1, 20) i; ROLLBACK" ],
		[ "BEGIN; ALTER TABLE p DETACH PARTITION p$n; INSERT INTO p$n SELECT 4, 5, 6, '2024-0$n-01'; ALTER TABLE p ATTACH PARTITION p$n $bounds; COMMIT" ],
		[ "TRUNCATE p$n" ], [ "VACUUM FULL p$n" ], [ "VACUUM (INDEX_CLEANUP ON) p$n" ], [ "REINDEX TABLE p$n" ]);

	return @{ $kinds[ int rand @kinds ] };
}

# Sessions of SQL that goes on until its time is over
sub session
{
	my ($name, @statements) = @_;
	my $file = $node->basedir . "/$name.sql";

	append_to_file($file, join('', map { "$_;\n" } @statements));
	return IPC::Run::start([ 'psql', '-X', '-q', '-d', $node->connstr('postgres'), '-f', $file ],
		'>', $node->basedir . "/$name.out", '2>', $node->basedir . "/$name.err");
}

my $start = -s $node->logfile;

srand 20260102;
for my $round (1 .. 2)
{
	my $end = time + $seconds;
	my @sessions;

	push @sessions, session("writer$round$_", map { $writers[ int rand @writers ] } 1 .. 150 * $seconds) foreach 1, 2;
	push @sessions, session("other$round", map { $others[ rand() < 0.05 ] } 1 .. 300 * $seconds);
	push @sessions, session("ddl$round$_", "SET lock_timeout = '2s'", map { change(1 + int rand 6) } 1 .. 12 * $seconds) foreach 1, 2;
	sleep 0.1 while time < $end;
	if ($round == 1)
	{
		$node->stop('immediate');
		$node->start;
		check_clean($node, 'p_recsys', 'check_index after a crash');
	}
	$_->finish foreach @sessions;
}

my $log = slurp_file($node->logfile, $start);
unlike($log, qr/PANIC|TRAP|corrupted|terminated by signal|without lock|cache lookup failed|could not open/, 'nothing has broken');

# all partitions are there again, whatever was cut short
$node->psql('postgres', "ALTER TABLE p DETACH PARTITION p$_ FINALIZE") foreach 1 .. 6;
$node->psql('postgres', "ALTER TABLE p ATTACH PARTITION p$_ FOR VALUES $months[$_ - 1]") foreach 1 .. 6;
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_inherits WHERE inhparent = 'p'::regclass AND NOT inhdetachpending"), '6', 'all partitions');
# rows that have been deleted count until VACUUM
$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP ON) p');
$node->safe_psql('postgres', "SET recsys.merge_budget = 2000000; SELECT recsys.merge('p_recsys', true); SELECT recsys.merge('p_recsys', true)");
check_clean($node, 'p_recsys', 'check_index in the end');

$node->safe_psql('postgres', 'CREATE TABLE q AS SELECT * FROM p; CREATE INDEX q_recsys ON q USING recsys (user_id, item_id, at) WITH (similarity = cosine)');
is($node->safe_psql('postgres', "SELECT count(*) > 100 FROM item_similarity('q_recsys')"), 't', 'there is a model');
foreach my $function ("item_similarity('X')", "popular_items(1000, 'X')", "generate_series(0, 200) u, recommend(u, 10, 'X')")
{
	my ($of_p, $of_q) = map { $node->safe_psql('postgres', 'SELECT * FROM ' . ($function =~ s/X/$_/r) . ' ORDER BY 1, 2, 3') } 'p_recsys', 'q_recsys';

	ok($of_p eq $of_q, "$function is that of a plain table") or diag(length($of_p) . ' and ' . length($of_q) . ' bytes');
}

done_testing();
