#!/bin/bash
# The lists of all users: recommend_all with workers and without, a lateral join of recommend, and
# implicit, by one process and by as many as there are processors; on the same data, in the same
# run.  Prints a Markdown table.
#
#     test/bench/batch.sh [option=value…]
#
# Options, with their defaults:
#     interactions=10000000  users=interactions/72.5  items=27000  seed=1
#     rounds=3     repetitions, whose median counts
#     workers=1    of recommend_all, beside the leader: as many processes as processors
#     limit=7200   seconds after which all is given up
#
# implicit is installed from PyPI into the environment that peers.sh uses as well, which is kept
# (test/lib/private.sh).  Where it cannot be had, its rows say why.  Its time is that of recommend()
# alone: data and model are in its memory.  That of recommend_all has all in it, from reading the
# users in the index to counting the rows.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

BENCH_INTERACTIONS=10000000
BENCH_USERS=
BENCH_ITEMS=27000
BENCH_SEED=1
BENCH_ROUNDS=3
BENCH_WORKERS=1
BENCH_LIMIT=7200
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | rounds=[1-9]* | workers=[1-9]* | limit=[1-9]*)
			name=BENCH_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${BENCH_USERS:=$((BENCH_INTERACTIONS * 69 / 5000))}"

# line WHAT MILLISECONDS: beside the lateral join
line()
{
	row "$1" "$(milliseconds "$2")" "$(awk -v u="$BENCH_USERS" -v ms="$2" 'BEGIN { printf "%.0f", u / ms * 1000 }')" \
		"$(ratio "$lateral" "$2")"
}

# all_lists WORKERS: sets TIMED_MS
all_lists()
{
	timed "SET work_mem = '256MB';
SET max_parallel_workers_per_gather = $1;
SELECT count(*) FROM recommend_all('pairs_recsys', 10)"
}

# Sets theirs[processes], or why there is nothing
their_lists()
{
	local processes times

	why=$PRIVATE_WHY
	[ -n "$python" ] || return
	note "    implicit"
	database "COPY pairs TO '$SANDBOX/pairs.tsv'"
	sandbox_run "$BENCH_LIMIT" "$python" "$root/test/bench/batch/implicit_lists.py" "$SANDBOX/pairs.tsv" \
		"$BENCH_ROUNDS" 1 "$MEASURE_THREADS" >"$SANDBOX/implicit" 2>"$SANDBOX/error" || {
		why="it failed: $(tail -n 1 "$SANDBOX/error")"
		return
	}
	version=$(awk '$1 == "version" { print $2 }' "$SANDBOX/implicit")
	theirs[lists]=$(awk '$1 == "lists" { print $2 }' "$SANDBOX/implicit")
	for processes in 1 "$MEASURE_THREADS"; do
		times=$(awk -v n="$processes" '$1 == n { print $2 }' "$SANDBOX/implicit")
		# an unquoted list on purpose: one number a word
		theirs[$processes]=$(median $times)
	done
}

python=
provision_server
! private_python peers-implicit "$root/test/bench/peers/implicit.txt" ||
	python=$PRIVATE_FOLDER/bin/python
sandbox_begin batch "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_buffers = 1GB" "autovacuum = off" "jit = off" "max_wal_size = 8GB" "max_parallel_workers = 8" \
	"max_worker_processes = 16" || stop "the private server does not start"
sandbox_run "$BENCH_LIMIT" cc -O2 -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm 2>"$SANDBOX/error" ||
	stop "the generator cannot be compiled"
note "loading $BENCH_INTERACTIONS interactions of $BENCH_USERS users"
database "CREATE EXTENSION recsys"
database "CREATE TABLE pairs (user_id bigint NOT NULL, item_id bigint NOT NULL)"
sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
	"$1" users="$2" items="$3" interactions="$4" seed="$5" | psql -X -q -v ON_ERROR_STOP=1 -c "COPY pairs FROM STDIN"' - \
	"$SANDBOX/generate" "$BENCH_USERS" "$BENCH_ITEMS" "$BENCH_INTERACTIONS" "$BENCH_SEED" 2>"$SANDBOX/error" ||
	stop "the data could not be loaded"
database "VACUUM ANALYZE pairs"
database "SET maintenance_work_mem = '1GB'; CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH (similarity = cosine)"
BENCH_USERS=$(database "SELECT count(DISTINCT user_id) FROM pairs")

alone= together= joined=
for ((round = 0; round < BENCH_ROUNDS; round++)); do
	all_lists 0
	alone+=" $TIMED_MS"
	all_lists "$BENCH_WORKERS"
	together+=" $TIMED_MS"
	timed "SELECT count(*) FROM (SELECT DISTINCT user_id FROM pairs) u, LATERAL recommend(u.user_id, 10, 'pairs_recsys') r"
	joined+=" $TIMED_MS"
	lists=$(awk '!/^Time/ && NF { last = $1 } END { print last }' "$SANDBOX/timed.out")
	note "    round $((round + 1)): alone$alone, with workers$together, lateral join$joined"
done
declare -A theirs=()
version=
their_lists

lateral=$(median $joined)
{
	echo "recsys on $("$PG_CONFIG" --version), $MEASURE_THREADS processors: the ten best items of"
	echo "$BENCH_USERS users, $BENCH_INTERACTIONS interactions, $BENCH_ITEMS items;"
	echo "all lists together have $lists items, those of implicit ${theirs[lists]:--}"
	echo
	echo "| lists of all users | time | users a second | times the lateral join |"
	echo "|---|---|---|---|"
} >"$SANDBOX/head"
line "lateral join of recommend" "$lateral"
line "recommend_all, processes: 1" "$(median $alone)"
line "recommend_all, processes: $((BENCH_WORKERS + 1))" "$(median $together)"
for processes in 1 "$MEASURE_THREADS"; do
	if [ -n "${theirs[$processes]:-}" ]; then
		line "implicit $version, processes: $processes" "${theirs[$processes]}"
	else
		row "implicit, processes: $processes" "skipped: $why" "-" "-"
	fi
done
echo
cat "$SANDBOX/head" "$MEASURE_TABLE"
server_stop
