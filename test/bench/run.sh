#!/bin/bash
# make bench: measures recsys against plain PostgreSQL on the same data, in the
# same run, and prints a Markdown table of ratios.
#
#     test/bench/run.sh [option=value…] [part…]
#
# Parts: build auto memory size selfjoin serve shop factors parts insert fresh; without any, all
# but selfjoin, which takes minutes.  Options, with their defaults:
#     interactions=10000000  users=interactions/72.5  items=27000  seed=1
#     clients=8    clients of the concurrent measurements
#     seconds=10   length of one pgbench run
#     rounds=3     repetitions, whose median counts
#     rate=1000    inserts a second of the part fresh
#     memory=1GB,64MB,16MB   settings of maintenance_work_mem to build with
#     limit=7200   seconds after which everything is given up
#
# The default size needs some 6 GB of disk in TMPDIR (/tmp) and half an hour.  The
# server is private and gone afterwards, so is the data; missing packages are
# installed first (test/lib).  What the figures mean: README.md beside this.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"
for part in "$root"/test/bench/run/*.sh; do
	. "$part"
done

usage()
{
	sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

BENCH_INTERACTIONS=10000000
BENCH_USERS=
BENCH_ITEMS=27000
BENCH_SEED=1
BENCH_CLIENTS=8
BENCH_SECONDS=10
BENCH_ROUNDS=3
BENCH_RATE=1000
BENCH_MEMORY=1GB,64MB,16MB
BENCH_LIMIT=7200
parts=
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | clients=[1-9]* | \
			seconds=[1-9]* | rounds=[1-9]* | rate=[1-9]* | memory=[1-9]* | limit=[1-9]*)
			name=BENCH_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		build | auto | selfjoin | serve | shop | factors | parts | insert | size | memory | fresh) parts="$parts $argument " ;;
		*) usage ;;
	esac
done
: "${parts:= build auto serve shop factors parts insert size memory fresh }"
: "${BENCH_USERS:=$((BENCH_INTERACTIONS * 69 / 5000))}"

wanted()
{
	case "$parts" in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

# one model, so that figures of one day compare with those of another; part auto has the default
recsys_index="CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH (similarity = cosine);"
btree_index="CREATE INDEX pairs_btree ON pairs USING btree (user_id, item_id);"

# generate TABLE USERS INTERACTIONS: a table of two bigint columns, no index
generate()
{
	note "loading $3 interactions of $2 users"
	database "CREATE TABLE $1 (user_id bigint NOT NULL, item_id bigint NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" users="$3" items="$4" interactions="$5" seed="$6" |
			psql -X -q -v ON_ERROR_STOP=1 -c "COPY $2 FROM STDIN"' - \
		"$SANDBOX/generate" "$1" "$2" "$BENCH_ITEMS" "$3" "$BENCH_SEED" 2>"$SANDBOX/error" ||
		stop "the data could not be loaded"
	sed 's/^/    /' "$SANDBOX/error" >&2
	# hint bits, so that no measurement writes them; the visibility map stays empty
	database "SELECT count(*) FROM $1" >/dev/null
	database "ANALYZE $1"
}

wanted_other_than_selfjoin()
{
	wanted build || wanted auto || wanted serve || wanted shop || wanted parts || wanted insert || wanted size || wanted memory || wanted fresh
}

provision_server
sandbox_begin bench "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
if ! server_build; then
	grep -A 5 -E 'error|warning:' "$SERVER_LOG" | head -n 40 >&2
	stop "recsys does not build"
fi
sandbox_run 60 gcc -std=gnu11 -O2 -Wall -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm ||
	stop "the generator does not compile"
# the later setting of a name wins: fsync is on
server_start "fsync = on" "shared_buffers = 1GB" "maintenance_work_mem = 1GB" "work_mem = 64MB" \
	"max_wal_size = 32GB" "checkpoint_timeout = 1d" "autovacuum = off" "jit = off" \
	"max_connections = $((BENCH_CLIENTS + 20))" || stop "the private server does not start"
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"

if wanted_other_than_selfjoin; then
	generate pairs "$BENCH_USERS" "$BENCH_INTERACTIONS"
fi
if wanted build; then
	build_rounds=$BENCH_ROUNDS
	run_build
elif wanted memory; then
	build_rounds=1
	run_build
fi
! wanted size || run_size
! wanted selfjoin || run_selfjoin
! wanted auto || run_auto
! wanted serve || run_serve
! wanted shop || run_shop
! wanted factors || run_factors
! wanted parts || run_parts
! wanted insert || run_insert
! wanted fresh || run_fresh

cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs, $BENCH_INTERACTIONS interactions of $BENCH_USERS users with $BENCH_ITEMS items, seed $BENCH_SEED

| measure | recsys | compared with | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
