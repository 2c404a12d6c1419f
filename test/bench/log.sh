#!/bin/bash
# What logging costs: throughput of recommend with and without log => true, by turns in one run, as a
# Markdown table of ratios; as it is, and with recsys.synchronous_log on.
#
#     test/bench/log.sh [option=value…]
#
# Options, with their defaults:
#     interactions=2000000  users=interactions/72.5  items=27000  seed=1    of the data (generate.c)
#     clients=8      connections
#     seconds=10     of one pgbench run      rounds=3     repetitions, whose median counts
#     k=10           items of a list
#     limit=7200     seconds after which all is given up
#
# A list of an index, and one of a declared recommender with rules.  A commit waits for the disk with
# recsys.synchronous_log = on, so that ratio is the disk's as much as ours: fsync is on here.  The server
# is private and gone afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

LOG_INTERACTIONS=2000000
LOG_USERS=
LOG_ITEMS=27000
LOG_SEED=1
LOG_CLIENTS=8
LOG_SECONDS=10
LOG_ROUNDS=3
LOG_K=10
BENCH_LIMIT=7200
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | clients=[1-9]* | seconds=[1-9]* | rounds=[1-9]* | k=[1-9]*)
			name=LOG_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${LOG_USERS:=$((LOG_INTERACTIONS * 69 / 5000))}"
BENCH_USERS=$LOG_USERS
BENCH_ITEMS=$LOG_ITEMS

load_data()
{
	note "loading $LOG_INTERACTIONS interactions"
	sandbox_run 60 gcc -O2 -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm || stop "generate.c does not build"
	database "CREATE TABLE interactions (user_id bigint NOT NULL, item_id bigint NOT NULL, at timestamptz NOT NULL DEFAULT now())"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" interactions="$2" users="$3" items="$4" seed="$5" | psql -X -q -v ON_ERROR_STOP=1 -c "COPY interactions (user_id, item_id) FROM STDIN"' - \
		"$SANDBOX/generate" "$LOG_INTERACTIONS" "$LOG_USERS" "$LOG_ITEMS" "$LOG_SEED" 2>"$SANDBOX/error" || stop "the data could not be loaded"
	database "VACUUM ANALYZE interactions"
	database "CREATE INDEX interactions_recsys ON interactions USING recsys (user_id, item_id)"
	database "CREATE TABLE products AS SELECT i AS item_id, i % 50 AS category, i % 400 AS seller, i % 7 > 0 AS in_stock FROM generate_series(1, $LOG_ITEMS) i"
	database "CREATE UNIQUE INDEX ON products (item_id)"
	database "VACUUM ANALYZE products"
	database "SELECT recsys.create_recommender('home', '[{\"events\": \"interactions_recsys\"}]', items => 'products', item_key => 'item_id', item_filter => 'in_stock', category => 'category')"
	database "SELECT count(*) FROM recsys.maintain()" >/dev/null
}

# script NAME LOG: the script of a side
script()
{
	printf '\\set user random(1, %s)\nSELECT * FROM recommend(:user::bigint, %s, '"'%s'"'%s);\n' "$LOG_USERS" "$LOG_K" "$1" "$2" >"$SANDBOX/$1$3.pgbench"
	sandbox_own "$SANDBOX/$1$3.pgbench"
}

# compare RECOMMENDER WAIT: both sides by turns
compare()
{
	local round plain= logged=

	for ((round = 0; round < LOG_ROUNDS; round++)); do
		[ "$round" -gt 0 ] || load "$SANDBOX/$1.pgbench" "$LOG_CLIENTS" 3
		load "$SANDBOX/$1.pgbench" "$LOG_CLIENTS" "$LOG_SECONDS" "recsys.synchronous_log=$2"
		plain="$plain $LOAD_TPS"
		load "$SANDBOX/$1.logged.pgbench" "$LOG_CLIENTS" "$LOG_SECONDS" "recsys.synchronous_log=$2"
		logged="$logged $LOAD_TPS"
	done
	# unquoted lists on purpose: one number a word
	plain=$(median $plain)
	logged=$(median $logged)
	printf '| %s | %s | %.0f | %.0f | %.2f |\n' "$1" "$2" "$plain" "$logged" "$(awk -v a="$logged" -v b="$plain" 'BEGIN { print a / b }')"
}

provision_server
sandbox_begin log "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_preload_libraries = recsys" "autovacuum = off" "shared_buffers = 2GB" "max_wal_size = 8GB" "fsync = on" || exit 1
database "CREATE EXTENSION recsys"
load_data
for recommender in interactions_recsys home; do
	script "$recommender" "" ""
	script "$recommender" ", log => true" .logged
done
printf '\n%s interactions of %s users with %s items; %s clients; requests a second\n\n' "$LOG_INTERACTIONS" "$LOG_USERS" "$LOG_ITEMS" "$LOG_CLIENTS"
printf '| recommender | recsys.synchronous_log | without log | with log | ratio |\n|---|---|---|---|---|\n'
for recommender in interactions_recsys home; do
	compare "$recommender" off
	compare "$recommender" on
done
printf '\nbytes a logged request, with indexes: %s\n' "$(database "SELECT sum(pg_total_relation_size(inhrelid)) / greatest((SELECT count(*) FROM recsys.request_log), 1) FROM pg_inherits WHERE inhparent = 'recsys.request_log'::regclass" | cut -d. -f1)"
server_stop
