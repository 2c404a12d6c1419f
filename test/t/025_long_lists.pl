# Long lists: however the chain of a list is damaged, a walk through it ends in an
# error, soon; and a walk through millions of entries can be cancelled.

use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

use RecsysTest;

use constant { PAGE => 8192, LOW => 8176, NEXT => 8184, KIND => 8188, SIDE => 8189, BUCKET => 3, CHAIN => 4 };

my $node = PostgreSQL::Test::Cluster->new('primary');
$node->init(extra => ['--encoding=UTF8']);	# no checksums: damage is to reach the code
$node->append_conf('postgresql.conf', q(
	autovacuum = off
	shared_buffers = 64MB
	max_wal_size = 4GB
	jit = off
	enable_seqscan = off
	dynamic_shared_memory_type = mmap));
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION recsys');

# A user with 9,000 rows and an item with 9,000 users: both have chains of many pages.
sub create
{
	my ($n) = @_;

	$node->safe_psql('postgres', qq(
		CREATE TABLE p$n (user_id bigint, item_id bigint);
		INSERT INTO p$n SELECT 1, i FROM generate_series(1, 9000) i;
		INSERT INTO p$n SELECT i, 1 FROM generate_series(1, 9000) i;
		CREATE INDEX r$n ON p$n USING recsys (user_id, item_id);
		INSERT INTO p$n VALUES (9001, 1), (1, 9001)));
}

# Blocks of the chain pages of a side, in the order of the file
sub chain_pages
{
	my ($content, $side) = @_;
	return grep { substr($$content, $_ * PAGE + KIND, 2) eq chr(CHAIN) . chr($side) } 0 .. length($$content) / PAGE - 1;
}

sub link_page
{
	my ($content, $from, $to) = @_;
	substr($$content, $from * PAGE + NEXT, 4) = pack('L', $to);
}

sub empty_page
{
	my ($content, $block) = @_;
	substr($$content, $block * PAGE + 12, 2) = pack('S', 24);
}

# Every owner claims to have as many entries as there can be.
sub claim_all
{
	my ($content) = @_;

	foreach my $block (grep { ord(substr($$content, $_ * PAGE + KIND, 1)) == BUCKET } 0 .. length($$content) / PAGE - 1)
	{
		my $lower = unpack('S', substr($$content, $block * PAGE + 12, 2));

		for (my $at = 24; $at < $lower; $at += 4)
		{
			my $tuple = unpack('L', substr($$content, $block * PAGE + $at, 4)) & 0x7FFF;
			substr($$content, $block * PAGE + $tuple + 8, 4) = "\xFF\xFF\xFF\xFF";
		}
	}
}

my @damages = map { my $side = $_; my $name = $side == 0 ? 'user' : 'item'; (
	[ "$name, a page links to itself", sub { my @c = chain_pages($_[0], $side); link_page($_[0], $c[1], $c[1]) } ],
	[ "$name, an empty page links to itself", sub { my @c = chain_pages($_[0], $side); link_page($_[0], $c[1], $c[1]); empty_page($_[0], $c[1]) } ],
	[ "$name, a circle of all pages and any number of entries", sub { my @c = chain_pages($_[0], $side); link_page($_[0], $c[$_], $c[ $_ - 1 ]) foreach 0 .. $#c; claim_all($_[0]) } ],
	[ "$name, a circle of empty pages", sub { my @c = chain_pages($_[0], $side); foreach (0 .. $#c) { link_page($_[0], $c[$_], $c[ $_ - 1 ]); empty_page($_[0], $c[$_]) } claim_all($_[0]) } ],
	[ "$name, a page of the other side", sub { my @c = chain_pages($_[0], $side); my @o = chain_pages($_[0], 1 - $side); link_page($_[0], $c[1], $o[1]) } ]) } 0, 1;

create($_) foreach 0 .. $#damages;
my %path = split /[|\n]/, $node->safe_psql('postgres',
	"SELECT n, pg_relation_filepath(('r' || n)::regclass) FROM generate_series(0, $#damages) n");
$node->stop;
foreach my $n (0 .. $#damages)
{
	my $file = $node->data_dir . "/$path{$n}";
	my $content = slurp_file($file);

	$damages[$n]->[1]->(\$content);
	open(my $handle, '>:raw', $file) or die $!;
	print $handle $content;
	close $handle;
}
$node->start;

foreach my $n (0 .. $#damages)
{
	my $is_user = $n < @damages / 2;
	my %tries = (
		check => "SELECT recsys.check_index('r$n')",
		scan => $is_user ? "SELECT count(*) FROM p$n WHERE user_id = 1" : "SELECT count(*) FROM p$n WHERE item_id = 1",
		merge => "SELECT recsys.merge('r$n', true)",
		vacuum => "DELETE FROM p$n WHERE user_id % 3 = 0 OR item_id % 3 = 0; VACUUM p$n",
		$is_user ? (
			recommend => "SELECT count(*) FROM recommend(1, 5, 'r$n')",
			forget => "SELECT recsys.forget_user('r$n', 1)",
			baskets => "SELECT count(*) FROM frequent_itemsets('r$n', 0.9)") : ());
	my ($failed, $late) = ('', '');

	foreach my $name (sort keys %tries)
	{
		my ($status, $stderr, $took) = timed($node, "SET statement_timeout = '20s'; SET client_min_messages = warning; $tries{$name}");

		$failed .= " $name: $stderr" unless $status != 0 && $stderr =~ /index "r$n" contains a (?:corrupted list|wrong link)|corrupted/;
		$late .= " $name: $took s" if $took > 5;
	}
	is($failed, '', "$damages[$n]->[0]: an error");
	is($late, '', "$damages[$n]->[0]: soon");
}
$node->safe_psql('postgres', join '', map { "REINDEX INDEX r$_; SELECT recsys.check_index('r$_'); DROP TABLE p$_;" } 0 .. $#damages);

# A user with 600,000 rows, so many times the same few thousand items
$node->safe_psql('postgres', q(
	CREATE TABLE big (user_id bigint, item_id bigint, at timestamptz);
	INSERT INTO big SELECT 1, 1 + (i::bigint * 7919) % 3000, '2026-01-01'::timestamptz + i * interval '1 second' FROM generate_series(1, 600000) i;
	INSERT INTO big SELECT 2 + i % 300, 1 + (i * 31) % 3000, '2026-01-01' FROM generate_series(1, 6000) i;
	CREATE INDEX big_recsys ON big USING recsys (user_id, item_id, at);
	INSERT INTO big SELECT 2 + i % 300, 1 + (i * 37) % 3000, '2026-01-01' FROM generate_series(1, 1000) i;
	CHECKPOINT));

my $latest = $ENV{ASAN_OPTIONS} ? 3 : 0.5;
my %calls = (
	recommend => q(SELECT count(*) FROM recommend(1, 10, 'big_recsys')),
	explain_recommendation => q(SELECT count(*) FROM explain_recommendation(1, 5, 'big_recsys')),
	evaluate_recommender => q(SELECT count(*) FROM recsys.evaluate_recommender('big_recsys', 'SELECT 1::bigint, i::bigint FROM generate_series(2990, 3100) i')),
	merge => q(INSERT INTO big VALUES (1, 1, now()); SELECT recsys.merge('big_recsys')),
	vacuum => q(DELETE FROM big WHERE user_id = 1 AND item_id % 2 = 0; VACUUM big),
	forget_user => q(SELECT recsys.forget_user('big_recsys', 1)));

foreach my $name (qw(recommend explain_recommendation evaluate_recommender merge vacuum forget_user))
{
	my ($prepare, $call) = $calls{$name} =~ /^(?:(.*); )?(.*)$/s;
	my ($hits, $slowest) = (0, 0);

	foreach my $timeout (5, 30, 120, 500, 1500)
	{
		$node->safe_psql('postgres', $prepare) if defined $prepare;
		my ($status, $stderr, $took) = timed($node, "SET client_min_messages = warning; SET statement_timeout = $timeout; $call");
		if ($status == 0)
		{
			last;
		}
		like($stderr, qr/statement timeout/, "$name: cancelled") unless $stderr =~ /statement timeout/;
		$hits++;
		$slowest = $took - $timeout / 1000 if $took - $timeout / 1000 > $slowest;
	}
	cmp_ok($hits, '>', 0, "$name of a user with 600,000 rows is cancelled");
	cmp_ok($slowest, '<', $latest, "$name: within half a second");
	note(sprintf '%s: %d times, %.0f ms late at most', $name, $hits, $slowest * 1000);
}
check_clean($node, 'big_recsys', 'check_index after all that');
$node->safe_psql('postgres', 'VACUUM big');
$node->safe_psql('postgres', q(SELECT recsys.merge('big_recsys', true)));
check_clean($node, 'big_recsys', 'and after VACUUM and merge');

$node->stop;
done_testing();
