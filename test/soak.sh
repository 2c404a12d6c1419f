#!/bin/bash
# make soak: a busy shop for a long time.
#
#     test/soak.sh [seconds=1800] [clients=8] [round=60] [sanitize=0] [worker=0] [seed=1]
#
# Rounds of a mixed load (test/load) on one table with a recsys index: single and
# bulk inserts with new users and items, rollbacks, savepoints, two-phase commit,
# updates of indexed and of other columns, deletes, native scans, recommendations
# and merges; beside them VACUUM without a pause, a COPY of many rows, and REINDEX
# CONCURRENTLY.  pending_limit is small in some rounds, so that statements merge.
# Every other round ends with kill -9 of the whole server and its recovery.  After
# each round recsys.check_index must find nothing, the index must find the same rows
# as a sequential scan, after VACUUM and an exact merge have the item graph of a
# new index, and the server's log must not speak of a crash other than ours.  With
# worker=1 the background worker merges too; with sanitize=1 the server and recsys
# have the address sanitizer (lib/sanitized.sh).  seed is where the random numbers
# of the load start.
# The last line reads `recsys: N passed, N failed`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/sanitized.sh"

seconds=1800
clients=8
round=60
sanitize=0
worker=0
seed=1
RECSYS_SANITIZE=
for argument in "$@"; do
	case "$argument" in
		seconds=*|clients=*|round=*|sanitize=*|worker=*|seed=*) declare "${argument%%=*}=${argument#*=}" ;;
		*) sed -n '2,21s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done

passed=0
failed=0

# judge STATUS WHAT
judge()
{
	if [ "$1" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "not ok: $2"
	fi
}

sql()
{
	sandbox_run 600 psql -XqAt -v ON_ERROR_STOP=1 -c "$1"
}

provision_server
if [ "$sanitize" = 1 ]; then
	sanitized_server || exit 1
	RECSYS_SANITIZE=1
fi
sandbox_begin soak $((seconds + 1800))
[ -z "$SANITIZED_SERVER" ] || sanitized_sandbox
server_copy "$root" || exit 1
if ! server_build; then
	tail -n 40 "$SERVER_LOG" >&2
	exit 1
fi
background=()
[ "$worker" != 1 ] || background=("shared_preload_libraries = 'recsys'" "recsys.merge_interval = '500ms'")
server_start "${background[@]}" "max_prepared_transactions = 64" "autovacuum_naptime = 5s" "autovacuum_vacuum_scale_factor = 0.01" \
	"shared_buffers = 64MB" "max_wal_size = 512MB" || exit 1

mkdir "$SANDBOX/load"
sandbox_own "$SANDBOX/load"

sql "CREATE EXTENSION recsys;
	CREATE TABLE purchases (user_id bigint, product_id bigint, quantity integer, purchased_at timestamptz, note text)
		WITH (fillfactor = 80);
	INSERT INTO purchases SELECT i % 20000, 1 + (i * 7919 + i / 20000) % 5000, 1, now() FROM generate_series(1, 200000) i;
	CREATE INDEX purchases_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at)
		WITH (max_history = 500);" || exit 1

# What COPY loads each round: users and items of its own, which go afterwards
sql "COPY (SELECT 2000000 + n / 3, 50000 + n / 2, 1, now() FROM generate_series(1, 60000) n) TO '$SANDBOX/load/rows.csv' (FORMAT csv)" || exit 1

# The rows of some hundred keys through the index and without it
cat >"$SANDBOX/load/compare.sql" <<'SQL'
CREATE TEMP TABLE keys AS SELECT DISTINCT user_id AS k FROM purchases TABLESAMPLE bernoulli (0.2) LIMIT 300;
SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off;
CREATE TEMP TABLE by_index AS SELECT k, (SELECT count(*) FROM purchases WHERE user_id = k) AS n FROM keys;
RESET ALL; SET enable_indexscan = off; SET enable_bitmapscan = off;
SELECT 1 / (count(*) = 0)::integer FROM by_index
JOIN (SELECT user_id AS k, count(*) AS n FROM purchases GROUP BY 1) scan USING (k) WHERE scan.n <> by_index.n;
SQL

# The graph after VACUUM and an exact merge, and that of a new index.  Scores are
# compared to a relative error of a few units in the last place: sums of squares
# are added up in another order.
cat >"$SANDBOX/load/model.sql" <<'SQL'
-- few dead rows would otherwise stay in the indexes, and in the graph
VACUUM (INDEX_CLEANUP on) purchases;
-- NULL: autovacuum is merging just now
DO $$
BEGIN
	WHILE (SELECT merged IS NULL FROM recsys.merge('purchases_recsys', true)) LOOP
		PERFORM pg_sleep(0.2);
	END LOOP;
END $$;
DROP INDEX IF EXISTS fresh_recsys;
CREATE INDEX fresh_recsys ON purchases USING recsys (user_id, product_id, quantity, purchased_at)
	WITH (max_history = 500);
CREATE TEMP TABLE merged AS SELECT * FROM item_similarity('purchases_recsys');
CREATE TEMP TABLE fresh AS SELECT * FROM item_similarity('fresh_recsys');
DROP INDEX fresh_recsys;
DO $$
DECLARE
	different record;
BEGIN
	SELECT count(*) AS n, count(*) FILTER (WHERE m.score IS NULL) AS missing,
		count(*) FILTER (WHERE f.score IS NULL) AS unexpected,
		(array_agg(format('(%s, %s): %s, %s instead of %s, %s', item_id, similar_item_id,
			m.score, m.support, f.score, f.support)))[1 : 5] AS examples INTO different
	FROM merged m FULL JOIN fresh f USING (item_id, similar_item_id)
	WHERE m.score IS NULL OR f.score IS NULL OR m.support <> f.support OR abs(m.score - f.score) > 1e-6 * f.score;
	IF different.n > 0 THEN
		RAISE EXCEPTION '% pairs differ, % missing, % unexpected: %', different.n, different.missing,
			different.unexpected, different.examples;
	END IF;
END $$;
SQL

load=$SERVER_TREE/test/load
started=$SECONDS
number=0
while [ $((SECONDS - started)) -lt "$seconds" ] && [ "$failed" -eq 0 ]; do
	number=$((number + 1))
	sql "ALTER INDEX purchases_recsys SET (pending_limit = $((number % 4 < 2 ? 64 : 4096)))" || break
	sandbox_run $((round + 120)) pgbench -n -c 1 -T "$round" -f "$load/vacuum_loop.sql" >"$SANDBOX/vacuum.log" 2>&1 &
	vacuuming=$!
	sandbox_run $((round + 120)) psql -Xq -c "COPY purchases (user_id, product_id, quantity, purchased_at)
		FROM '$SANDBOX/load/rows.csv' (FORMAT csv)" >"$SANDBOX/copy.log" 2>&1 &
	copying=$!
	sandbox_run $((round + 120)) pgbench -n -c "$clients" -j 2 -T "$round" \
		--max-tries=20 -D users=20000 -D products=5000 --random-seed=$((seed * 1000 + number)) \
		-f "$load/insert.sql@20" -f "$load/bulk.sql@2" -f "$load/rollback.sql@1" \
		-f "$load/change.sql@3" -f "$load/read.sql@10" -f "$load/vacuum.sql@1" \
		-f "$load/merge.sql@1" -f "$load/note.sql@10" -f "$load/move.sql@2" \
		-f "$load/savepoint.sql@2" -f "$load/prepared.sql@1" >"$SANDBOX/load.log" 2>&1 &
	running=$!
	sleep $((round / 3))
	sql "VACUUM purchases" >/dev/null
	judge $? "round $number: vacuum beside the load"
	sql "REINDEX INDEX CONCURRENTLY purchases_recsys" >/dev/null
	judge $? "round $number: retraining beside the load"

	if [ $((number % 2)) -eq 0 ]; then
		kill -KILL $(sandbox_processes | while read -r pid; do
			case "$(readlink "/proc/$pid/exe")" in *bin/postgres*) echo "$pid" ;; esac
		done) 2>/dev/null
		wait "$running" "$vacuuming" "$copying"
		sleep 1

		# nobody may have reaped the postmaster, and a zombie looks alive to the next one
		rm -f "$SERVER_DATA/postmaster.pid" "$SERVER_SOCKET"/.s.PGSQL.*
		: >"$SANDBOX/server.log"
		sandbox_run 120 pg_ctl -D "$SERVER_DATA" -l "$SANDBOX/server.log" -w -t 100 start >/dev/null 2>&1
		judge $? "round $number: recovery after kill -9"
	else
		wait "$running"
		judge $? "round $number: the load ran without an error"
		wait "$vacuuming"
		judge $? "round $number: VACUUM ran without an error"
		wait "$copying"
		judge $? "round $number: COPY ran without an error"
		! grep -E 'terminated by signal|PANIC|TRAP:|corrupt|AddressSanitizer|runtime error:' "$SANDBOX/server.log"
		judge $? "round $number: nothing alarming in the server's log"
	fi
	# what the crash has left prepared would keep the locks that check_index wants
	sandbox_run 60 psql -Xq -v ON_ERROR_STOP=1 -f "$load/end_prepared.sql" >/dev/null
	judge $? "round $number: prepared transactions end"
	sql "SELECT recsys.check_index('purchases_recsys')" >/dev/null
	judge $? "round $number: check_index"
	sandbox_run 300 psql -Xq -v ON_ERROR_STOP=1 -f "$SANDBOX/load/compare.sql" >/dev/null 2>"$SANDBOX/compare.log"
	judge $? "round $number: index and table find the same rows"
	sandbox_run 900 psql -Xq -v ON_ERROR_STOP=1 -f "$SANDBOX/load/model.sql" >/dev/null 2>"$SANDBOX/compare.log"
	judge $? "round $number: after an exact merge the graph is that of a new index"
	sql "DELETE FROM purchases WHERE user_id >= 2000000"
	echo "round $number: $(sql "SELECT count(*) || ' rows, index ' || pg_size_pretty(pg_relation_size('purchases_recsys')) FROM purchases")"
done

[ "$failed" -eq 0 ] || tail -n 20 "$SANDBOX"/{load,vacuum,copy,compare,server}.log
echo "recsys: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
