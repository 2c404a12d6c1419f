# What the TAP tests share: nodes with recsys and a table of purchases, the
# whole of what an index answers as text to compare, and a crash that leaves no
# process of the server alive.
package RecsysTest;

use strict;
use warnings;

use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(init_node new_node create_purchases insert_purchases answers same_answers
  check_clean scans_agree recommend_agrees kill_server start_pgbench
  start_psql finish poll_progress pgbench equals_new_index timed is_back
  create_logged_shop create_watched_streams);

# The product catalogue and the users of the generated purchases.  Popularity
# falls off like 1/rank; a product has companions (same number modulo 10), so
# that there is something to learn.
our $users = 400;
our $products = 250;

# Makes a node's data directory, with checksums, which tell a page that was written
# out unfinished.  It is a copy of RECSYS_TEMPLATE, if there is one (test/run.sh makes
# one with the same arguments): that takes a fraction of the time of initdb.
sub init_node
{
	my ($node, %params) = @_;
	my $template = $ENV{RECSYS_TEMPLATE};
	my $run = \&PostgreSQL::Test::Utils::system_or_bail;

	no warnings 'redefine';
	local *PostgreSQL::Test::Utils::system_or_bail = sub {
		$run->($_[0] eq 'initdb' && defined $template ? ('cp', '-a', $template, $node->data_dir) : @_);
	};
	$node->init(%params, extra => [ '--data-checksums', '--encoding=UTF8' ]);
	# without sequential scans plans seem so dear that each would be compiled
	$node->append_conf('postgresql.conf', 'jit = off');
	# the reference BLAS is good enough for tests
	$node->append_conf('postgresql.conf', 'recsys.blas_warning = off');
}

# A running node with the extension; further lines go to postgresql.conf.
# fsync stays off as the framework has it: a killed process loses nothing that
# it handed to the operating system.
sub new_node
{
	my ($name, @configuration) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	init_node($node, allows_streaming => 1);
	$node->append_conf('postgresql.conf', join("\n",
		'autovacuum = off',
		'log_statement = none',
		# small, so that changed pages are written out all the time
		'shared_buffers = 4MB',
		'max_wal_size = 4GB',
		'max_prepared_transactions = 2',
		# shared memory in files of the data directory, which go with it if a
		# killed server is never started again
		'dynamic_shared_memory_type = mmap',
		@configuration) . "\n");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION recsys');
	return $node;
}

# The manual's shop in database postgres, with ten days of an experiment in the log, in which the
# treatment is clicked more often, and all that is computed of it: every view of dashboards has rows.
# A role reader may read everything and owns nothing.
sub create_logged_shop
{
	my ($node, $shop) = @_;

	$node->safe_psql('postgres', PostgreSQL::Test::Utils::slurp_file($shop));
	$node->safe_psql('postgres', q(
		SET TimeZone = 'UTC';
		CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at);
		CREATE INDEX purchases_cosine ON purchases USING recsys (user_id, product_id, purchased_at) WITH (similarity = cosine);
		SELECT recsys.create_recommender('home', '[{"events": "purchases_recsys"}]', items => 'products', item_key => 'product_id', title => 'name',
			category => 'category', seller => 'seller_id', sellers => 'sellers', seller_key => 'seller_id', new_item_since => 'listed_at > now() - interval ''300 days''',
			new_seller_since => 'joined_at > now() - interval ''60 days''', profiles => 'customers', profile_key => 'customer_id');
		SELECT recsys.refresh_recommender('home');
		CREATE TABLE sales (user_id bigint, product_id bigint, sold_at timestamptz, amount numeric);
		SELECT recsys.create_experiment('trial', '{"control": {"recommender": "home", "share": 0.5}, "treatment": {"recommender": "purchases_cosine", "share": 0.5}}',
			metrics => '{ctr, conversion, revenue}', primary_metric => 'ctr', guardrails => '{latency_ms}', segment => 'country',
			purchases => '{"table": "sales", "user": "user_id", "item": "product_id", "time": "sold_at", "amount": "amount"}');
	));
	$node->safe_psql('postgres', q(
		SET TimeZone = 'UTC';
		UPDATE recsys.experiment SET started_at = now() - interval '11 days';
		INSERT INTO recsys.request_log (request_id, time, user_id, recommender, experiment, variant, segment, latency_ms, item_ids)
		SELECT gen_random_uuid(), date_trunc('day', now()) - d * interval '1 day' - (u % 600) * interval '1 minute' - interval '1 second', u,
			CASE u % 2 WHEN 0 THEN 'home' ELSE 'public.purchases_cosine' END, 'trial', CASE u % 2 WHEN 0 THEN 'control' ELSE 'treatment' END,
			(ARRAY['DE', 'FR', 'NL'])[1 + u % 3], 2 + u % 7, ARRAY[1000 + u % 40, 1040 + u % 50, 1090 + u % 7, 1100 + u % 100]::text[]
		FROM generate_series(0, 9) d, generate_series(1, 400) u WHERE (u + d) % 3 = 0;
		INSERT INTO recsys.event_log (request_id, request_time, kind, item_id, time)
		SELECT request_id, time, kind, item_ids[1], time FROM recsys.request_log, unnest('{click,cart}'::text[]) kind
		WHERE (user_id::integer / 2 + extract(day FROM time)::integer) % (CASE variant WHEN 'control' THEN 6 ELSE 3 END * CASE kind WHEN 'click' THEN 1 ELSE 2 END) = 0;
		INSERT INTO sales SELECT user_id::bigint, item_ids[1]::bigint, time + interval '1 minute', 9.50 FROM recsys.request_log WHERE user_id::integer % 5 = 0;
		SELECT recsys.configure_log(purchases => '{"table": "sales", "user": "user_id", "item": "product_id", "time": "sold_at", "amount": "amount"}');
		SELECT recsys.refresh_metrics();
		SELECT recsys.refresh_experiment('trial');
		SELECT recsys.maintain();
		INSERT INTO purchases VALUES (1, 1000, 1, now());
		CREATE ROLE reader LOGIN;
		GRANT pg_read_all_data TO reader;
	));
}

# Streams in the states that there are, without a broker, and a table whose partitions are kept
sub create_watched_streams
{
	my ($node, $database) = @_;

	$node->safe_psql($database // 'postgres', q(
		CREATE TABLE tracked (user_id bigint, product_id bigint, at timestamptz NOT NULL) PARTITION BY RANGE (at);
		SELECT recsys.keep_partitions('tracked', keep => '30 days');
		SELECT recsys.create_stream(n, brokers => 'kafka:9092', topic => 'shop.clicks', target => 'tracked', columns => '{"user_id": "user", "product_id": "item", "at": "ts"}')
		FROM unnest('{clicks,behind,alone,broken,resting}'::text[]) n;
		SELECT recsys.pause_stream('resting');
		UPDATE recsys.stream SET changed_at = now() - interval '1 day';
		UPDATE recsys.stream SET state = 'failed', message = 'permission denied for table clicks', message_at = now() WHERE name = 'broken';
		INSERT INTO recsys.stream_partition (stream, topic, partition, next_offset, high_watermark, last_timestamp, messages, rows, rejected, rate, rate_at, consumer, seen_at, state, message, message_at)
		SELECT n, 'shop.clicks', p, 5000, 5000 + lag, extract(epoch FROM now() - interval '10 minutes') * 1000, 5000, 4900, 2, 10, now(), 'host ' || p, now() + interval '1 hour',
			CASE WHEN n = 'behind' AND p = 3 THEN 'lost' ELSE 'active' END, CASE WHEN n = 'behind' AND p = 3 THEN 'the log is not the one that was read before' END, now()
		FROM (VALUES ('clicks', 0), ('behind', 2000)) s(n, lag), generate_series(0, 3) p;
		INSERT INTO recsys.stream_error (stream, topic, partition, message_offset, reason, sqlstate) SELECT 'clicks', 'shop.clicks', 0, n, 'user_id is missing', '23502' FROM generate_series(1, 5) n));
}

# Table purchases with some rows; no index yet.
sub create_purchases
{
	my ($node, $rows, $kind) = @_;

	$kind //= '';
	$node->safe_psql('postgres', qq(
		CREATE $kind TABLE purchases (
			user_id bigint,
			product_id bigint,
			quantity integer,
			purchased_at timestamptz)));
	insert_purchases($node, $rows);
}

# More purchases.  Quantities are whole numbers, so that sums of products are
# exact in whatever order they are taken, and results can be compared as text.
sub insert_purchases
{
	my ($node, $rows) = @_;

	$node->safe_psql('postgres', qq(
		INSERT INTO purchases
		SELECT 1 + floor($users * random() * random())::bigint AS user_id,
			   1 + floor($products ^ random())::bigint AS product_id,
			   CASE WHEN random() < 0.05 THEN NULL ELSE 1 + floor(3 * random())::integer END,
			   '2024-01-01'::timestamptz + 365 * random() * interval '1 day'
		FROM generate_series(1, $rows)));
	# companions: a tenth of the users also buy what ends in the same digit
	$node->safe_psql('postgres', qq(
		INSERT INTO purchases
		SELECT user_id, 1 + (product_id + 10) % $products, 1, purchased_at + interval '1 minute'
		FROM purchases WHERE user_id % 10 = product_id % 10));
}

# Everything that an index answers about the model and about every user, as
# text, one line an answer.
sub answers
{
	my ($node, $index, $database) = @_;

	return $node->safe_psql($database // 'postgres', qq(
		SELECT 'graph', s.* FROM item_similarity('$index') s ORDER BY item_id, rank;
		SELECT 'popular', p.* FROM popular_items(NULL::integer, '$index') WITH ORDINALITY p ORDER BY ordinality;
		SELECT 'similar', i, s.* FROM generate_series(1, $products, 7) i,
			LATERAL similar_items(i::bigint, 20, '$index') WITH ORDINALITY s ORDER BY i, ordinality;
		-- equal scores: items that came after a build stand in order of arrival
		SELECT 'recommend', u, item_id, score, source,
			   CASE source WHEN 'popular' THEN ordinality ELSE rank() OVER (PARTITION BY u, source ORDER BY score DESC) END
		FROM generate_series(1, $users + 1) u,
			LATERAL (SELECT * FROM recommend(u::bigint, 2000, '$index') WITH ORDINALITY) r
		WHERE source = 'history' OR ordinality <= 20
		ORDER BY u, source, score DESC, item_id;
		SELECT 'cart', i, item_id, score, source FROM generate_series(1, $products, 11) i,
			LATERAL recommend_for_items(ARRAY[i, i + 1]::bigint[], 2000, '$index') r
		WHERE source = 'history'
		ORDER BY i, score DESC, item_id));
}

# One assertion; tells the first difference instead of two megabytes.
sub same_answers
{
	my ($got, $expected, $name) = @_;

	return pass($name) if $got eq $expected && $got ne '';

	my @got = split /\n/, $got;
	my @expected = split /\n/, $expected;
	my $line = 0;

	$line++ while $line < @got && $line < @expected && $got[$line] eq $expected[$line];
	fail($name);
	diag('lines: got ' . @got . ', expected ' . @expected . "; first difference in line $line:\n"
		  . '  got      ' . ($got[$line] // '(none)') . "\n"
		  . '  expected ' . ($expected[$line] // '(none)'));
	return 0;
}

# recsys.check_index has no complaints.
sub check_clean
{
	my ($node, $index, $name) = @_;
	my ($status, $stdout, $stderr) =
	  $node->psql('postgres', "SELECT recsys.check_index('$index')");

	ok($status == 0, $name) or diag($stderr);
}

# Index scans on user, item and both return what a sequential scan returns, for
# every key there is.
sub scans_agree
{
	my ($node, $name) = @_;
	my $rows = 'p.user_id, p.product_id, p.quantity, p.purchased_at';
	my %query = (
		user => "SELECT $rows FROM (SELECT DISTINCT user_id FROM purchases) k,
			LATERAL (SELECT * FROM purchases p WHERE p.user_id = k.user_id OFFSET 0) p",
		item => "SELECT $rows FROM (SELECT DISTINCT product_id FROM purchases) k,
			LATERAL (SELECT * FROM purchases p WHERE p.product_id = k.product_id OFFSET 0) p",
		both => "SELECT $rows FROM (SELECT DISTINCT user_id, product_id FROM purchases) k,
			LATERAL (SELECT * FROM purchases p WHERE p.user_id = k.user_id
				AND p.product_id = k.product_id OFFSET 0) p");
	my $digest = 'SELECT count(*), sum(hash_record_extended(q, 0)::numeric) FROM';
	my $expected = $node->safe_psql('postgres', "$digest (SELECT $rows FROM purchases p
		WHERE user_id IS NOT NULL AND product_id IS NOT NULL) q");

	foreach my $key (sort keys %query)
	{
		foreach my $off ('bitmapscan', 'indexscan')
		{
			my ($plan, $got) = $node->safe_psql('postgres', qq(
				SET enable_seqscan = off; SET enable_$off = off; SET enable_memoize = off;
				EXPLAIN (COSTS off) $query{$key};
				$digest ($query{$key}) q)) =~ /(.*)\n(.*)/s;

			like($plan, qr/Index Scan (using|on) \w*recsys/, "$name: $key, $off off: the index is used");
			is($got, $expected, "$name: $key, $off off: same rows");
		}
	}
}

# recommend equals its definition in SQL: the user's visible history times the
# item graph of the index, less what the user has.
sub recommend_agrees
{
	my ($node, $index, $name) = @_;
	my $different = $node->safe_psql('postgres', qq(
		SET work_mem = '256MB';		-- the disk may be full
		WITH history AS (
			SELECT user_id, product_id, sum(coalesce(quantity, 1))::double precision AS weight
			FROM purchases GROUP BY user_id, product_id),
		expected AS (
			SELECT h.user_id, s.similar_item_id AS item_id, sum(h.weight * s.score) AS score
			FROM history h JOIN item_similarity('$index') s ON s.item_id = h.product_id
			WHERE (h.user_id, s.similar_item_id) NOT IN (SELECT user_id, product_id FROM history)
			GROUP BY h.user_id, s.similar_item_id),
		got AS (
			SELECT u.user_id, r.item_id, r.score
			FROM (SELECT DISTINCT user_id FROM purchases) u,
				 LATERAL recommend(u.user_id, NULL::integer, '$index') r
			WHERE r.source = 'history')
		SELECT count(*) FILTER (WHERE e.score IS NULL), count(*) FILTER (WHERE g.score IS NULL),
			   count(*) FILTER (WHERE abs(e.score - g.score) > 1e-5 * greatest(1, e.score)),
			   count(*) > 0
		FROM expected e FULL JOIN got g USING (user_id, item_id)));

	is($different, '0|0|0|t', "$name (unexpected, missing, different score, any)");
}

# Child processes of a process.
sub children_of
{
	my ($parent) = @_;
	my @children;

	foreach my $file (glob '/proc/[0-9]*/stat')
	{
		open(my $handle, '<', $file) or next;
		my $line = <$handle> // '';
		close $handle;
		push @children, $1 if $line =~ /^(\d+) \(.*\) \S (\d+)/ && $2 == $parent;
	}
	return @children;
}

# Neither running nor stopped: gone, or a zombie that nobody has waited for yet.
sub is_dead
{
	my ($pid) = @_;

	open(my $handle, '<', "/proc/$pid/stat") or return 1;
	my $line = <$handle> // '';
	close $handle;
	return $line eq '' || $line =~ /^\d+ \(.*\) [ZX]/;
}

# Waits until a node that crashes by itself, behind that place in its log, takes
# connections again; false if it does not within a minute.  The place matters: until the
# crash is noticed the old server still takes some.
sub is_back
{
	my ($node, $offset) = @_;
	my $deadline = time + 60;

	while (time < $deadline)
	{
		return 1 if substr(slurp_file($node->logfile), $offset) =~ /ready to accept connections/ &&
			$node->psql('postgres', 'SELECT 1') == 0;
		sleep 0.05;
	}
	return 0;
}

# SIGKILL for the postmaster and every process of the server, all at once.
# The postmaster is stopped first, so that it cannot react to a child's death.
sub kill_server
{
	my ($node) = @_;
	my $lock_file = $node->data_dir . '/postmaster.pid';
	my ($postmaster) = split /\n/, slurp_file($lock_file);
	my @processes;

	kill 'STOP', $postmaster;
	@processes = (children_of($postmaster), $postmaster);
	kill 'KILL', @processes;
	foreach my $pid (@processes)
	{
		my $deadline = time + 30;
		sleep 0.02 while !is_dead($pid) && time < $deadline;
	}
	# a zombie, which init may take seconds to collect, looks alive to the next postmaster
	unlink $lock_file, $node->host . '/.s.PGSQL.' . $node->port . '.lock' if kill(0, $postmaster);
	$node->{_pid} = undef;
}

# pgbench in the background; scripts are [ SQL, weight ] pairs.
sub start_pgbench
{
	my ($node, $clients, @scripts) = @_;
	my @files;
	my $output = '';

	foreach my $script (@scripts)
	{
		my $file = PostgreSQL::Test::Utils::tempdir() . '/script.sql';
		append_to_file($file, $script->[0]);
		push @files, '-f', "$file\@$script->[1]";
	}
	return IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 1, '-T', 300, @files,
			'-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \undef, '>', \$output, '2>', \$output);
}

# pgbench in the background for a number of seconds, with options of its own; what
# it says goes to the file {recsys_log} of the result.
my $pgbenches = 0;

sub pgbench
{
	my ($node, $seconds, $clients, @options) = @_;
	my $log = PostgreSQL::Test::Utils::tempdir() . '/pgbench' . $pgbenches++ . '.log';
	my $run = IPC::Run::start(
		[ 'pgbench', '-n', '-c', $clients, '-j', 2, '-T', $seconds, '--max-tries=20', @options,
			'-h', $node->host, '-p', $node->port, 'postgres' ],
		'<', \undef, '>', $log, '2>&1');

	$run->{recsys_log} = $log;
	return $run;
}

# After an exact merge the index answers as one that is built anew.  Where there is
# no merge, the graph is as of the last build, and nothing is compared.
sub equals_new_index
{
	my ($node, $index, $columns, $name) = @_;

	return if $node->safe_psql('postgres', q(SELECT to_regproc('recsys.merge') IS NULL)) eq 't';
	# few dead rows would otherwise stay in the index, and in its graph
	$node->safe_psql('postgres', 'VACUUM (INDEX_CLEANUP on) purchases');
	# NULL: autovacuum is merging just now
	foreach my $attempt (1 .. 300)
	{
		last if $node->safe_psql('postgres', "SELECT merged IS NOT NULL FROM recsys.merge('$index', true)") eq 't';
		sleep 0.2;
	}
	check_clean($node, $index, "$name: check_index after an exact merge");
	$node->safe_psql('postgres', "CREATE INDEX fresh_recsys ON $columns");
	same_answers(answers($node, $index), answers($node, 'fresh_recsys'), "$name: the index equals a new one");
	$node->safe_psql('postgres', 'DROP INDEX fresh_recsys');
}

# Runs statements in one session; returns the exit status, the error, and how many
# seconds the last of them took, or the one that failed.  That is psql's own time: on
# a busy machine it takes longer to start psql than to cancel a statement.
sub timed
{
	my ($node, $sql) = @_;
	my ($status, $stdout, $stderr) = $node->psql('postgres', "\\timing on\n$sql");
	my ($milliseconds) = $stdout =~ /.*^Time: ([\d.]+) ms/ms;

	return ($status, $stderr, ($milliseconds // die "no time: $stdout") / 1000);
}

# psql in the background; its exit status comes from finish.
sub start_psql
{
	my ($node, $sql) = @_;
	my $output = '';

	return IPC::Run::start(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('postgres'), '-c', $sql ],
		'<', \undef, '>', \$output, '2>', \$output);
}

# Waits for what start_pgbench or start_psql started; true if it succeeded.
sub finish
{
	my ($run) = @_;
	return $run->finish;
}

# Waits until an index build shows in the progress view; false if it ended.
sub poll_progress
{
	my ($node, $run) = @_;
	my $deadline = time + 30;

	while (time < $deadline && $run->pumpable)
	{
		return 1 if $node->safe_psql('postgres',
			'SELECT count(*) FROM pg_stat_progress_create_index') ne '0';
		$run->pump_nb;
		sleep 0.005;
	}
	return 0;
}

1;
