#!/bin/bash
# recommend_for_session under load: 8 clients, a given number of requests a second, over
# generated clicks.  Prints a Markdown table of latencies.
#
#     test/bench/sessions.sh [option=value…]
#
# Options, with their defaults:
#     clicks=10000000  items=100000  seed=1   of the data (clicks.c)
#     rate=200       requests a second       seconds=60     a run
#     inserts=500    clicks a second that come in meanwhile, in the second run
#     clients=8      connections
#     model="similarity = session"   options of the index, if this recsys knows it
#     memory=2GB     maintenance_work_mem    limit=7200     seconds after which all is given up
#
# Latencies are those of pgbench: from when a request was due to its answer, so that what waits
# for the one before it counts, too.  Each request is a session of the data, cut somewhere.  The
# server is private and gone afterwards, so is the data.  What the figures mean: README.md.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

SESSION_CLICKS=10000000
SESSION_ITEMS=100000
SESSION_SEED=1
SESSION_RATE=200
SESSION_SECONDS=60
SESSION_INSERTS=500
SESSION_CLIENTS=8
SESSION_MODEL="similarity = session"
SESSION_MEMORY=2GB
BENCH_LIMIT=7200
for argument in "$@"; do
	case "$argument" in
		clicks=[1-9]* | items=[1-9]* | seed=[0-9]* | rate=[1-9]* | seconds=[1-9]* | inserts=[1-9]* | clients=[1-9]* | model=* | memory=[1-9]*)
			name=SESSION_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done

load_clicks()
{
	note "loading $SESSION_CLICKS clicks"
	sandbox_run 60 gcc -O2 -o "$SANDBOX/clicks" "$SERVER_TREE/test/bench/clicks.c" -lm || stop "clicks.c does not build"
	database "CREATE TABLE raw (session_id bigint, item_id bigint, at bigint); CREATE TABLE clicks (session_id bigint NOT NULL, item_id bigint NOT NULL, at timestamptz NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" clicks="$2" items="$3" seed="$4" | psql -X -q -v ON_ERROR_STOP=1 -c "COPY raw FROM STDIN"' - \
		"$SANDBOX/clicks" "$SESSION_CLICKS" "$SESSION_ITEMS" "$SESSION_SEED" 2>"$SANDBOX/error" || stop "the data could not be loaded"
	database "INSERT INTO clicks SELECT session_id, item_id, to_timestamp(at) FROM raw; DROP TABLE raw"
	database "CREATE TABLE requests AS SELECT row_number() OVER () AS id, items[1 : 1 + abs(hashint8(session_id)) % cardinality(items)] AS items
		FROM (SELECT session_id, array_agg(item_id ORDER BY at) AS items FROM clicks WHERE session_id % 97 = 3 GROUP BY session_id LIMIT 20000) s"
	database "CREATE UNIQUE INDEX ON requests (id)"
	database "VACUUM ANALYZE requests"
	database "VACUUM ANALYZE clicks"
	sessions=$(database "SELECT count(*) FROM requests")
}

# paced NAME: a run at the rate, as a line of the table
paced()
{
	local directory=$SANDBOX/load

	note "    $1"
	rm -rf "$directory"
	mkdir "$directory"
	sandbox_own "$directory"
	sandbox_run "$BENCH_LIMIT" bash -c 'cd "$1" && shift && exec pgbench "$@"' - "$directory" \
		-n -M prepared -c "$SESSION_CLIENTS" -j 2 -T "$SESSION_SECONDS" -R "$SESSION_RATE" -l -D sessions="$sessions" \
		-f "$SERVER_TREE/test/bench/session.pgbench" >"$directory/out" 2>"$SANDBOX/error" || stop "pgbench failed"
	cat "$directory"/pgbench_log.* | awk '{ print $3 }' | sort -n | awk -v name="$1" -v tps="$(awk '/^tps = / { print $3 }' "$directory/out")" '
		{ v[NR] = $1 }
		END { printf "| %s | %.0f | %.2f ms | %.2f ms | %.2f ms | %.1f ms |\n", name, tps, at(0.5), at(0.9), at(0.99), v[NR] / 1000 }
		function at(q) { r = int(q * NR + 0.999999); return v[r < 1 ? 1 : r] / 1000 }'
}

# inserting WHAT…: clicks come in meanwhile
inserting()
{
	local writer directory=$SANDBOX/writer

	mkdir -p "$directory"
	sandbox_own "$directory"
	sandbox_run "$BENCH_LIMIT" pgbench -n -M prepared -c 2 -j 1 -T $((SESSION_SECONDS + 10)) -R "$SESSION_INSERTS" -D sessions="$sessions" \
		-f "$SERVER_TREE/test/bench/session_insert.pgbench" >/dev/null 2>&1 &
	writer=$!
	sleep 5
	"$@"
	wait "$writer"
}

provision_server
sandbox_begin sessions "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_preload_libraries = recsys" "autovacuum = off" "shared_buffers = 2GB" "max_wal_size = 8GB" || exit 1
database "CREATE EXTENSION recsys"
load_clicks
timed "SET maintenance_work_mem = '$SESSION_MEMORY';
CREATE INDEX clicks_recsys ON clicks USING recsys (session_id, item_id, at) WITH ($SESSION_MODEL);"
note "    index: $(milliseconds "$TIMED_MS"), $(megabytes "$(database "SELECT pg_relation_size('clicks_recsys')")")"
printf '\n%s clicks of %s sessions with %s items, %s; %s clients, %s requests a second\n\n' "$SESSION_CLICKS" \
	"$(database "SELECT users FROM recsys.index_stats WHERE index_name = 'clicks_recsys'")" "$SESSION_ITEMS" "$SESSION_MODEL" "$SESSION_CLIENTS" "$SESSION_RATE"
printf '| run | requests a second | p50 | p90 | p99 | longest |\n|---|---|---|---|---|---|\n'
paced "warming up" >/dev/null
paced "all of it vacuumed"
inserting paced "$SESSION_INSERTS clicks a second come in"
database "VACUUM clicks"
paced "vacuumed again"
server_stop
