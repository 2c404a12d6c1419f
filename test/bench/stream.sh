#!/bin/bash
# make bench-stream: recsys-stream, from a broker on this machine into a table: events a second, and how
# long until an event shows.  Prints a Markdown table.
#
#     test/bench/stream.sh [option=value…] [part…]
#
# Parts: plain index fresh; without any, all.  Options, with their defaults:
#     events=1000000   events in the topic, of some 200 bytes of JSON
#     base=1000000     rows that the table with the index has before
#     users=50000  items=20000  seed=1   of both (generate.c)
#     partitions=4  jobs=2
#     rate=1000  seconds=120   events a second, and for how long, in the part fresh
#     probes=4,16      at a time: of a user's own recommendations, of everybody's similar items
#     rounds=3         repetitions, whose median counts
#     limit=7200       seconds after which everything is given up
#
# plain: into a table without an index.  index: into one with a recsys index, beside COPY of the same rows into
# such a table.  fresh: an event is produced; when is it in the user's own recommend(), and when in everybody's
# similar_items(), while others come in.  The broker is Apache Kafka; where there is no Java or registry
# of its packages this says so and ends.  Server, broker and data are private and gone afterwards.  What
# the figures mean: README.md.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/private.sh"
. "$root/test/bench/measure.sh"

STREAM_EVENTS=1000000
STREAM_BASE=1000000
STREAM_USERS=50000
STREAM_ITEMS=20000
STREAM_SEED=1
STREAM_PARTITIONS=4
STREAM_JOBS=2
STREAM_RATE=1000
STREAM_SECONDS=120
STREAM_PROBES=4,16
STREAM_ROUNDS=3
BENCH_LIMIT=7200
parts=
for argument in "$@"; do
	case "$argument" in
		events=[1-9]* | base=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | partitions=[1-9]* | jobs=[1-9]* | \
			rate=[1-9]* | seconds=[1-9]* | probes=[1-9]*,[1-9]* | rounds=[1-9]*)
			name=STREAM_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		plain | index | fresh) parts="$parts $argument " ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:= plain index fresh }"

build_programs()
{
	sandbox_run 900 make -s -C "$SANDBOX/root.build" -f "$SERVER_TREE/Makefile" VPATH="$SERVER_TREE" PG_CONFIG="$PG_CONFIG" \
		RECSYS_WERROR=1 -j "$(nproc)" stream >>"$SERVER_LOG" 2>"$SANDBOX/error" || stop "recsys-stream does not build"
	sandbox_run 120 make -s -C "$SERVER_TREE/test/stream" OUT="$SANDBOX/tools" >>"$SERVER_LOG" 2>"$SANDBOX/error" ||
		stop "the tools do not build"
	sandbox_run 60 gcc -std=gnu99 -O2 -Wall -I"$("$PG_CONFIG" --includedir)" -o "$SANDBOX/tools/events" \
		"$SERVER_TREE/test/bench/stream/events.c" -lrdkafka -lpq 2>"$SANDBOX/error" || stop "events.c does not build"
	sandbox_run 60 gcc -std=gnu11 -O2 -o "$SANDBOX/tools/generate" "$SERVER_TREE/test/bench/generate.c" -lm 2>"$SANDBOX/error" ||
		stop "generate.c does not build"
}

# The broker with its topics
begin_broker()
{
	local try

	sandbox_run "$BENCH_LIMIT" env "${EXTRA_ENV[@]}" RECSYS_STREAM_TOOLS="$SANDBOX/tools" BENCH_PARTITIONS="$STREAM_PARTITIONS" \
		PERL5LIB="$SERVER_TREE/test/perl" perl "$SERVER_TREE/test/bench/stream/broker.pl" "$SANDBOX/brokers" many fresh \
		>"$SANDBOX/broker.log" 2>&1 &
	# the sandbox ends it, without a word
	disown
	for try in $(seq 600); do
		[ ! -s "$SANDBOX/brokers" ] || break
		kill -0 $! 2>/dev/null && [ "$try" -lt 600 ] || { cp "$SANDBOX/broker.log" "$SANDBOX/error"; stop "the broker does not start"; }
		sleep 0.2
	done
	brokers=$(cat "$SANDBOX/brokers")
}

# Rows in the files base and new, and the latter as events in the topic.
make_rows()
{
	local report

	note "making $STREAM_BASE rows, and $STREAM_EVENTS that come afterwards"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail; cd "$1" && tools/generate users="$2" items="$3" interactions="$(($4 + $5))" seed="$6" |
			tee >(head -n "$4" >base.pairs; cat >/dev/null) | tail -n +"$(($4 + 1))" >new.pairs && sleep 1
		for rows in base new; do
			awk -v from="$rows" "{ printf \"%s\t%s\t2026-10-%02d %02d:%02d:%02d.%03d+00\tview\n\", \$1, \$2,
				(from == \"new\" ? 16 : 1) + NR / 100000 % 15, NR / 3600 % 24, NR / 60 % 60, NR % 60, NR % 1000 }" $rows.pairs >$rows.copy
		done' - "$SANDBOX" "$STREAM_USERS" "$STREAM_ITEMS" "$STREAM_BASE" "$STREAM_EVENTS" "$STREAM_SEED" 2>"$SANDBOX/error" ||
		stop "the rows cannot be made"
	sandbox_run "$BENCH_LIMIT" split -n l/2 "$SANDBOX/new.copy" "$SANDBOX/half." || stop "the rows cannot be divided"
	database "COPY base FROM '$SANDBOX/base.copy'"
	report=$(sandbox_run "$BENCH_LIMIT" bash -c '"$1" "$2" many send 0 <"$3"' - "$SANDBOX/tools/events" "$brokers" "$SANDBOX/new.pairs") ||
		stop "the events cannot be produced"
	note "    produced: $report ms"
}

begin_program()
{
	sandbox_run "$BENCH_LIMIT" "$SANDBOX/root.build/recsys-stream" >"$SANDBOX/program.log" 2>&1 &
	program=$!
}

end_program()
{
	local pid

	# sandbox_run is a shell that waits: the program itself is to end
	for pid in $(sandbox_processes); do
		[ "$(readlink "/proc/$pid/exe")" != "$SANDBOX/root.build/recsys-stream" ] || kill -TERM "$pid" 2>/dev/null
	done
	wait "$program"
}

# merging off|on: by the background worker
merging()
{
	if [ "$1" = off ]; then
		database "ALTER SYSTEM SET recsys.merge_interval = 0"
	else
		database "ALTER SYSTEM RESET recsys.merge_interval"
	fi
	database "SELECT pg_reload_conf()" >/dev/null
	sleep 1
}

# consume off|on [merged]: the whole topic.  Sets RATE, events a second from the first transaction that is seen to the
# last, WHOLE, the same with the time that it takes to begin, and MERGED, with the time until all is merged.
consume()
{
	local start

	database "CALL new_stream('$brokers', 'many', $STREAM_JOBS, merging => '$1')"
	database CHECKPOINT
	start=$(database "SELECT clock_timestamp()")
	begin_program
	database "CALL follow($STREAM_EVENTS)"
	IFS='|' read -r RATE WHOLE <<<"$(database "SELECT round((last.position - first.position) / extract(epoch FROM last.at - first.at)),
			round(last.position / extract(epoch FROM last.at - timestamptz '$start'))
		FROM (SELECT * FROM trace ORDER BY position LIMIT 1) first, (SELECT * FROM trace ORDER BY position DESC LIMIT 1) last")"
	LONGEST=$(database "SELECT round(max(took)) FROM (SELECT extract(epoch FROM at - lag(at) OVER (ORDER BY at)) * 1000 AS took FROM trace) t")
	[ -n "$2" ] || return 0
	await_merge "$start"
}

# await_merge SINCE: sets MERGED, the rows a second
await_merge()
{
	database "CALL await_merge()"
	MERGED=$(database "SELECT round($STREAM_EVENTS / extract(epoch FROM clock_timestamp() - timestamptz '$1'))")
}

# Every event must be there once, or the figures mean nothing.
check_rows()
{
	[ "$(database "SELECT count(*) FROM views")" = "$1" ] || stop "there are $(database "SELECT count(*) FROM views") rows, not $1"
}

run_plain()
{
	local round rates="" wholes="" copies=""

	note "into a table without an index"
	for ((round = 0; round < STREAM_ROUNDS; round++)); do
		database "CALL new_views(false)"
		database CHECKPOINT
		timed "COPY views FROM '$SANDBOX/new.copy';"
		copies+=" $(awk -v ms="$TIMED_MS" -v n="$STREAM_EVENTS" 'BEGIN { printf "%.0f", n / ms * 1000 }')"
		database "CALL new_views(false)"
		consume on
		end_program
		check_rows "$STREAM_EVENTS"
		rates+=" $RATE"
		wholes+=" $WHOLE"
		note "    $RATE events/s, COPY ${copies##* }; longest between two transactions: $LONGEST ms"
	done
	# unquoted lists on purpose: one number a word
	row "into a table without an index, against COPY" "$(median $rates)/s" "$(median $copies)/s" "$(ratio "$(median $rates)" "$(median $copies)")"
	row "the same, with the time to begin" "$(median $wholes)/s" "-" "-"
}

# copy_rows FILE…: by as many sessions.  Sets RATE, and START.
copy_rows()
{
	local file pids=() pid

	database CHECKPOINT
	START=$(database "SELECT clock_timestamp()")
	for file in "$@"; do
		database "COPY views FROM '$file'" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || stop "COPY failed"
	done
	RATE=$(database "SELECT round($STREAM_EVENTS / extract(epoch FROM clock_timestamp() - timestamptz '$START'))")
}

# indexed_once off|on WAY: with merges meanwhile, or without
indexed_once()
{
	database "CALL new_views(true, merging => '$1')"
	merging "$1"
	MERGED=-
	case $2 in
		one) copy_rows "$SANDBOX/new.copy" ;;
		two) copy_rows "$SANDBOX"/half.* ;;
		stream)
			consume "$1" "$([ "$1" = off ] || echo merged)"
			end_program
			check_rows $((STREAM_BASE + STREAM_EVENTS))
			;;
	esac
	[ "$1" = off ] || [ "$2" = stream ] || await_merge "$START"
	note "    merging $1, $2: $RATE rows/s, and merged $MERGED rows/s"
}

run_index()
{
	local round way merging
	local -A rates=() merged=()

	note "into a table with a recsys index over $STREAM_BASE rows"
	for ((round = 0; round < STREAM_ROUNDS; round++)); do
		for merging in off on; do
			for way in one two stream; do
				indexed_once $merging $way
				rates[$merging.$way]+=" $RATE"
				merged[$way]+=" ${MERGED#-}"
			done
		done
	done
	merging on
	# unquoted lists on purpose: one number a word
	for way in one two; do
		row "with a recsys index, against COPY by $way" "$(median ${rates[off.stream]})/s" "$(median ${rates[off.$way]})/s" \
			"$(ratio "$(median ${rates[off.stream]})" "$(median ${rates[off.$way]})")"
		row "the same while the worker merges" "$(median ${rates[on.stream]})/s" "$(median ${rates[on.$way]})/s" \
			"$(ratio "$(median ${rates[on.stream]})" "$(median ${rates[on.$way]})")"
		row "the same until all is merged" "$(median ${merged[stream]})/s" "$(median ${merged[$way]})/s" \
			"$(ratio "$(median ${merged[stream]})" "$(median ${merged[$way]})")"
	done
}

# shown WHAT FILE: a line of the table from milliseconds
shown()
{
	row "$1" "$(grep -v timeout "$2" | sort -n | awk '
		{ v[NR] = $1 }
		END { if (NR > 0) printf "p50 %s, p99 %s, longest %s (%d)", at(0.5), at(0.99), at(1), NR; else print "none" }
		function at(q) { r = int(q * NR + 0.999999); r = v[r < 1 ? 1 : r]; return r < 1000 ? sprintf("%.0f ms", r) : sprintf("%.1f s", r / 1000) }')" \
		"$(grep -c timeout "$2") never" "-"
}

run_fresh()
{
	local kind number sending pids=() report

	note "$STREAM_RATE events a second for $STREAM_SECONDS seconds"
	database "CALL new_views(true)"
	database "CREATE TABLE anchors AS SELECT product_id AS item_id FROM views GROUP BY product_id HAVING count(*) BETWEEN 50 AND 2000"
	database "CALL new_stream('$brokers', 'fresh', $STREAM_JOBS)"
	begin_program
	sandbox_run "$BENCH_LIMIT" bash -c '"$1" "$2" fresh send "$4" "$5" <"$3"' - "$SANDBOX/tools/events" "$brokers" "$SANDBOX/new.pairs" \
		"$STREAM_RATE" "$((STREAM_SECONDS + 20))" >"$SANDBOX/sent" 2>"$SANDBOX/error" &
	sending=$!
	sleep 10
	for kind in own all; do
		for ((number = 0; number < $([ $kind = own ] && echo "${STREAM_PROBES%,*}" || echo "${STREAM_PROBES#*,}"); number++)); do
			sandbox_run "$BENCH_LIMIT" "$SANDBOX/tools/events" "$brokers" fresh "$kind" "$STREAM_SECONDS" \
				"$((1000000000 + ${#pids[@]} * 10000000))" >"$SANDBOX/$kind.$number" 2>>"$SANDBOX/error" &
			pids+=($!)
		done
	done
	for number in "${pids[@]}"; do
		wait "$number" || stop "a probe failed"
	done
	wait "$sending" || stop "the events cannot be produced"
	read -r number report <"$SANDBOX/sent"
	note "    sent $number events in $report ms"
	database "SELECT format('    pending %s, inexact items %s of %s, last merge %s ms', pending, inexact_items, items, last_merge_ms)
		FROM recsys.index_stats WHERE index_name = 'views_recsys'" >&2
	end_program
	cat "$SANDBOX"/own.* >"$SANDBOX/shown.own"
	cat "$SANDBOX"/all.* >"$SANDBOX/shown.all"
	shown "at $STREAM_RATE events/s, produced until in the user's own recommend" "$SANDBOX/shown.own"
	shown "at $STREAM_RATE events/s, produced until in everybody's similar_items" "$SANDBOX/shown.all"
}

provision_server
EXTRA_ENV=()
. "$root/test/stream/provision.sh"
if ! provision_stream kafka; then
	echo "recsys: skipped: ${PRIVATE_WHY:-what this needs cannot be had}"
	exit 0
fi
for variable in "${EXTRA_ENV[@]}"; do
	case "$variable" in
		RECSYS_KAFKA=) echo "recsys: skipped: there is no broker (${PRIVATE_WHY:-Kafka cannot be had})"; exit 0 ;;
	esac
done
sandbox_begin bench-stream "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_preload_libraries = recsys" "fsync = on" "shared_buffers = 1GB" "maintenance_work_mem = 512MB" \
	"max_wal_size = 32GB" "checkpoint_timeout = 1d" "autovacuum = off" "jit = off" "max_connections = 100" || exit 1
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"
database "$(cat "$root/test/bench/stream/views.sql")"
build_programs
begin_broker
make_rows
for part in plain index fresh; do
	case "$parts" in
		*" $part "*) "run_$part" ;;
	esac
done
cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs for server, program, broker and producers; $STREAM_PARTITIONS partitions, $STREAM_JOBS jobs,
$STREAM_EVENTS events, $STREAM_BASE rows before, $STREAM_USERS users, $STREAM_ITEMS items, seed $STREAM_SEED

| measure | recsys | compared with | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
