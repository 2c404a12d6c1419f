#!/bin/bash
# What experiment_results costs: from raw rows of a large log, from daily sums, and whether both are
# the same to the last digit.  Prints a Markdown table.
#
#     test/bench/experiments_log.sh [option=value…]
#
# Options, with their defaults:
#     requests=1000000   of ten items each       users=200000
#     clicks=300000      and carts               purchases=60000
#     days=14            of the experiment       rounds=3     whose median counts
#     memory=64MB        work_mem                limit=3600   seconds after which everything is given up
#
# The server is private and gone afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

LOG_REQUESTS=1000000
LOG_USERS=200000
LOG_CLICKS=300000
LOG_PURCHASES=60000
LOG_DAYS=14
LOG_ROUNDS=3
LOG_MEMORY=64MB
BENCH_LIMIT=3600
for argument in "$@"; do
	case "$argument" in
		requests=[1-9]* | users=[1-9]* | clicks=[1-9]* | purchases=[1-9]* | days=[1-9]* | rounds=[1-9]* | memory=[1-9]*)
			name=LOG_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done

# measured SQL: the median of the rounds; sets TIMED_MS
measured()
{
	local round all=()

	for ((round = 0; round < LOG_ROUNDS; round++)); do
		timed "SET work_mem = '$LOG_MEMORY'; $1"
		all+=("$TIMED_MS")
	done
	TIMED_MS=$(median "${all[@]}")
}

provision_server
sandbox_begin experiments "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_buffers = 1GB" "maintenance_work_mem = 512MB" "max_wal_size = 32GB" "autovacuum = off" "jit = off" ||
	stop "the private server does not start"
database "CREATE EXTENSION recsys"
note "a log of $LOG_REQUESTS requests"
sandbox_run "$BENCH_LIMIT" psql -X -q -v ON_ERROR_STOP=1 -v requests="$LOG_REQUESTS" -v users="$LOG_USERS" -v clicks="$LOG_CLICKS" \
	-v purchases="$LOG_PURCHASES" -v days="$LOG_DAYS" -f "$SERVER_TREE/test/bench/experiments_log.sql" >/dev/null 2>"$SANDBOX/error" ||
	stop "the log could not be made"

measured "SELECT count(*) FROM recsys.experiment_results('bench', 'raw');"
raw=$TIMED_MS
timed "SET work_mem = '$LOG_MEMORY';
SELECT recsys.refresh_experiment('bench');"
refresh=$TIMED_MS
measured "SELECT count(*) FROM recsys.experiment_results('bench', 'daily');"
daily=$TIMED_MS
differing=$(database "SELECT count(*) FROM recsys.experiment_day CROSS JOIN LATERAL (
	SELECT to_jsonb(d) - 'computed_from' FROM recsys.experiment_results('bench', 'daily', until) AS d
	EXCEPT SELECT to_jsonb(r) - 'computed_from' FROM recsys.experiment_results('bench', 'raw', until) AS r) AS x
	WHERE extract(day FROM day)::int % 5 = 0 OR until = (SELECT max(until) FROM recsys.experiment_day)")
rows=$(database "SELECT count(*) FROM recsys.experiment_results('bench')")

cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs, work_mem $LOG_MEMORY

| experiment_results of $((LOG_REQUESTS * 10)) impressions, $LOG_USERS users, $LOG_CLICKS clicks, $LOG_PURCHASES purchases | |
|---|---|
| from raw rows | $(milliseconds "$raw") |
| from daily sums | $(milliseconds "$daily") |
| bringing $LOG_DAYS days and what came after up to date | $(milliseconds "$refresh") |
| rows of results that differ, of $rows a day, on some of the days | $differing |
END
[ "$differing" = 0 ] || stop "daily sums are not those of raw rows"
server_stop
