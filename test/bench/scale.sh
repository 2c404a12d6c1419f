#!/bin/bash
# What ten billion interactions would take, from what is measured on a small machine: prints the
# tables of doc/scale.md, and the constants that scale/simulate.py works with.
#
#     test/bench/scale.sh [option=value…] [constants] [generated] [real] [sample] [bound]
#
# Parts:
#     constants   bytes of users, items, interactions and neighbors; microseconds of a list, of an
#                 event and of a fetched history.  The last line calls scale/simulate.py with them
#     generated   pair updates, bytes and speed of generated data of several sizes
#     real        the same of real data
#     sample      item graphs of a share of the users: recall@20, and the ten best neighbors
#     bound       the error of a score by support, beside what doc/scale.md derives
# Options, with their defaults:
#     interactions=10000000   of the largest generated data; constants needs half of that or more
#     askers=10000            users whose lists are measured
#     memory=1GB              maintenance_work_mem
#     model="similarity = cosine, min_support = 1, shrinkage = 10"   of the samples' item graphs
#     limit=7200              seconds after which everything is given up
#
# Real data are not part of the project: they are read from $RECSYS_DATA, or ../shared/data beside the
# project, if they are there.  The server is private and gone afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"
for part in "$root"/test/bench/scale/*.sh; do
	. "$part"
done

SCALE_INTERACTIONS=10000000
SCALE_ASKERS=10000
SCALE_MEMORY=1GB
SCALE_MODEL="similarity = cosine, min_support = 1, shrinkage = 10"
BENCH_LIMIT=7200
parts=
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | askers=[1-9]* | memory=[1-9]* | model=*)
			name=SCALE_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		constants | generated | real | sample | bound) parts="$parts $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:=constants generated real sample bound}"
data=${RECSYS_DATA:-$root/../shared/data}

# processor SQL: timed, and sets CPU_S and USER_S, the processor's seconds of the last statement, which others on
# the machine disturb less than its duration; the latter without those of the system
processor()
{
	timed "SET client_min_messages = log;
SET log_statement_stats = on;
$1"
	CPU_S=$(awk '/ s user, .* s elapsed/ { sub(/.*!/, ""); last = $1 + $4 } END { printf "%.3f", last }' "$SANDBOX/error")
	USER_S=$(awk '/ s user, .* s elapsed/ { sub(/.*!/, ""); last = $1 } END { printf "%.3f", last }' "$SANDBOX/error")
}

# both TABLE: builds scale_recsys without an item graph, then with one, and sets BUILD_S and GRAPH_S, the
# difference, to which the system adds hardly more than noise
both()
{
	local user

	processor "CREATE INDEX scale_recsys ON $1 USING recsys (user_id, item_id) WITH (similarity = popular);"
	BUILD_S=$CPU_S
	user=$USER_S
	database "DROP INDEX scale_recsys"
	processor "CREATE INDEX scale_recsys ON $1 USING recsys (user_id, item_id) WITH (similarity = cosine);"
	GRAPH_S=$(awk -v all="$USER_S" -v build="$user" 'BEGIN { s = all - build; printf "%.3f", (s > 0.001 ? s : 0.001) }')
}

# generate USERS ITEMS INTERACTIONS: the table pairs
generate()
{
	note "    $3 interactions of $1 users with $2 items"
	database "DROP TABLE IF EXISTS pairs; CREATE TABLE pairs (user_id bigint NOT NULL, item_id bigint NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" users="$2" items="$3" interactions="$4" seed=1 |
			psql -X -q -v ON_ERROR_STOP=1 -c "COPY pairs FROM STDIN"' - \
		"$SANDBOX/generate" "$1" "$2" "$3" 2>"$SANDBOX/error" || stop "the data could not be loaded"
	database "VACUUM ANALYZE pairs"
}

# read_into TABLE: COPY from standard input, which sandbox_run does not pass on
read_into()
{
	cat >"$SANDBOX/copy"
	sandbox_own "$SANDBOX/copy"
	database "COPY $1 FROM '$SANDBOX/copy' $2"
	rm -f "$SANDBOX/copy"
}

# pairs FILE…: user and item, a line each, from lines "user item item …"
pairs()
{
	zcat "$@" | awk '{ for (i = 2; i <= NF; i++) print $1 "\t" $i }'
}

provision_server
sandbox_begin scale "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "autovacuum = off" "jit = off" "shared_buffers = 1GB" "max_wal_size = 8GB" "work_mem = 256MB" \
	"maintenance_work_mem = $SCALE_MEMORY" "max_parallel_maintenance_workers = 0" || stop "the private server does not start"
sandbox_run 60 gcc -O2 -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm || stop "generate.c does not build"
database "CREATE EXTENSION recsys"
for part in $parts; do
	note "$part"
	run_$part
done
server_stop
