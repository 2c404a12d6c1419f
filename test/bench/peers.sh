#!/bin/bash
# make bench-peers: recsys beside other programs that people use for the same, on the same data, in
# the same run.  Prints a Markdown table.
#
#     test/bench/peers.sh [option=value…] [part…]
#
# Parts: models redis baskets; without any, all of them.  Options, with their defaults:
#     interactions=1000000  users=interactions/72.5  items=27000  seed=1    of the models
#     baskets=50000         of ten items on average, of 2,000 items
#     support=0.002  confidence=0.1   of item sets and rules
#     seconds=5    length of one pgbench run
#     rounds=3     repetitions, whose median counts
#     lenskit=no   yes: with LensKit, whose installation is some gigabytes
#     limit=7200   seconds after which all is given up
#
# implicit, LensKit, pyfim, mlxtend and efficient-apriori are installed from PyPI, each into an environment
# of its own that is kept (test/lib/private.sh); Redis is Debian's.  What cannot be had is a row
# that says why.  The server is private and gone afterwards, so are the data.
#
# What is compared is what a user of each waits for.  recsys is asked in SQL, by a client beside the
# server, and the time has everything in it: parsing, reading the index, sending rows.  The libraries are
# called in a process that has the data and the model in its memory; reading the data is not in their
# time.  A list from Redis was written there beforehand, and is as old as that.
#
# Both train and make everybody's lists on all processors, as far as they can; a list of one user
# is made on one.  The memory of recsys is that of a build without workers, as these have their own.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

BENCH_INTERACTIONS=1000000
BENCH_USERS=
BENCH_ITEMS=27000
BENCH_SEED=1
BENCH_BASKETS=50000
BENCH_SUPPORT=0.002
BENCH_CONFIDENCE=0.1
BENCH_SECONDS=5
BENCH_ROUNDS=3
BENCH_LIMIT=7200
PEERS_LENSKIT=no
parts=
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | seed=[0-9]* | baskets=[1-9]* | support=0.[0-9]* | \
			confidence=0.[0-9]* | seconds=[1-9]* | rounds=[1-9]* | limit=[1-9]*)
			name=BENCH_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		lenskit=yes | lenskit=no) PEERS_LENSKIT=${argument#*=} ;;
		models | redis | baskets) parts="$parts $argument " ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:= models redis baskets }"
: "${BENCH_USERS:=$((BENCH_INTERACTIONS * 69 / 5000))}"

wanted()
{
	case "$parts" in
		*" $1 "*) return 0 ;;
	esac
	return 1
}

declare -A PYTHON=()		# of a library: its interpreter; none: WHY
declare -A WHY=()
declare -A THEIRS=()		# what the last call of a library has printed: names to numbers
declare -A OURS=()

# have NAME: makes its environment
have()
{
	if private_python "peers-$1" "$root/test/bench/peers/$1.txt"; then
		PYTHON[$1]=$PRIVATE_FOLDER/bin/python
	else
		WHY[$1]=$PRIVATE_WHY
	fi
}

# ask NAME SCRIPT ARGUMENT…: sets THEIRS; false, and WHY, when it fails
ask()
{
	local name=$1 script=$2 key value

	shift 2
	THEIRS=()
	[ -n "${PYTHON[$name]:-}" ] || return 1
	note "    $name: $*"
	sandbox_run "$BENCH_LIMIT" "${PYTHON[$name]}" "$SERVER_TREE/test/bench/peers/$script" "$@" \
		>"$SANDBOX/theirs" 2>"$SANDBOX/error" || {
		WHY[$name]="it failed: $(tail -n 1 "$SANDBOX/error" | tr '|' ' ' | cut -c 1-100)"
		: >"$SANDBOX/error"
		return 1
	}
	while read -r key value; do
		THEIRS[$key]+=" $value"
	done <"$SANDBOX/theirs"
}

# beside WHAT OURS NAME KEY KIND: a row; KIND is ms, us or kb
beside()
{
	local theirs ratio

	if [ -z "${THEIRS[$4]:-}" ]; then
		row "$1" "$(figure "$2" "$5")" "$3: skipped: ${WHY[$3]:-it has no such thing}" "-"
		return
	fi
	# an unquoted list on purpose: one number a word
	theirs=$(median ${THEIRS[$4]})
	ratio=$(ratio "$2" "$theirs")
	# two digits of a ratio below .1
	case "$ratio" in
		0.0*) ratio=1/$(ratio "$theirs" "$2") ;;
	esac
	row "$1" "$(figure "$2" "$5")" "$3${THEIRS[version]}: $(figure "$theirs" "$5")" "$ratio"
}

figure()
{
	case "$2" in
		ms) milliseconds "$1" ;;
		us) printf '%.0f µs' "$1" ;;
		kb) awk -v kb="$1" 'BEGIN { if (kb < 10240) printf "%.0f kB", kb; else printf "%.0f MB", kb / 1024 }' ;;
	esac
}

# build MODEL WORKERS: the index anew; sets TIMED_MS and WATCHED_KB
build()
{
	database "DROP INDEX IF EXISTS pairs_recsys"
	watched "SET maintenance_work_mem = '1GB';
SET max_parallel_maintenance_workers = $2;
CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH (similarity = $1);"
}

# Sets OURS of one user's list: p50, p99
our_list()
{
	pin
	load "$SERVER_TREE/test/bench/recommend.pgbench" 1 2
	load "$SERVER_TREE/test/bench/recommend.pgbench" 1 "$BENCH_SECONDS"
	unpin
	OURS[p50]=$LOAD_P50
	OURS[p99]=$LOAD_P99
}

# Sets OURS of an index: train, memory, p50, p99, all, and lists, how many items the lists have
our_model()
{
	local round trained= all=

	build "$1" 0
	OURS[memory]=$WATCHED_KB
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		build "$1" $((MEASURE_THREADS - 1))
		trained+=" $TIMED_MS"
	done
	OURS[train]=$(median $trained)
	our_list
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		timed "SET work_mem = '256MB';
SET max_parallel_workers_per_gather = $((MEASURE_THREADS - 1));
SELECT count(*) FROM recommend_all('pairs_recsys', 10);"
		all+=" $TIMED_MS"
	done
	OURS[all]=$(median $all)
	OURS[lists]=$(awk '!/^Time/ && NF { last = $1 } END { print last }' "$SANDBOX/timed.out")
}

run_models()
{
	local model library

	database "COPY pairs TO '$SANDBOX/pairs.tsv'"
	for model in cosine als; do
		note "models: $model"
		our_model "$model"
		for library in implicit lenskit; do
			ask "$library" "${library}_models.py" "$SANDBOX/pairs.tsv" "$model" "$BENCH_ROUNDS"
			beside "training, $model" "${OURS[train]}" "$library" train ms
			beside "training, $model, memory" "${OURS[memory]}" "$library" memory kb
			beside "one user's list, $model, p50" "${OURS[p50]}" "$library" p50 us
			beside "one user's list, $model, p99" "${OURS[p99]}" "$library" p99 us
			[ "$library" = lenskit ] ||
				beside "everybody's list, $model, ${OURS[lists]} items (theirs:${THEIRS[lists]:- -})" \
					"${OURS[all]}" "$library" all ms
		done
	done
	rm -f "$SANDBOX/pairs.tsv"
}

# The server is in a file of Debian's redis-tools, under another name: nothing is started by installing it.
start_redis()
{
	local socket=$SANDBOX/redis/socket try

	mkdir "$SANDBOX/redis"
	sandbox_own "$SANDBOX/redis"
	sandbox_run "$BENCH_LIMIT" "${MEASURE_PIN[@]}" bash -c 'cd "$1" && exec -a redis-server /usr/bin/redis-check-rdb \
		--port 0 --unixsocket "$1/socket" --save "" --appendonly no --dir "$1" >"$1/log" 2>&1' - "$SANDBOX/redis" &
	redis=$!
	for ((try = 0; try < 100; try++)); do
		[ "$(sandbox_run 5 redis-cli -s "$socket" ping 2>/dev/null)" != PONG ] || return 0
		sleep 0.1
	done
	WHY[redis]="it does not start"
	return 1
}

# Bytes that Redis has allocated
redis_bytes()
{
	sandbox_run 10 redis-cli -s "$SANDBOX/redis/socket" info memory | sed -n 's/^used_memory:\([0-9]*\).*/\1/p'
}

# A list written beforehand, as one value
run_redis()
{
	local redis= socket=$SANDBOX/redis/socket version empty

	build cosine 0
	our_list
	pin
	THEIRS=()
	if [ -z "${WHY[redis]:-}" ] && start_redis; then
		note "redis: writing the lists of all users"
		empty=$(redis_bytes)
		version=$(sandbox_run 10 redis-cli -s "$socket" info server | sed -n 's/^redis_version:\([0-9.]*\).*/\1/p')
		sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
			psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1" | redis-cli -s "$2" --pipe' - "
				SELECT format('SET list:%s %s', lpad((user_id - 1)::text, 12, '0'), string_agg(item_id || ':' || score, ','))
				FROM (SELECT DISTINCT user_id FROM pairs) u, LATERAL recommend(user_id, 10) r GROUP BY user_id" "$socket" \
			>/dev/null 2>"$SANDBOX/error" || stop "the lists cannot be written to Redis"
		sandbox_run "$BENCH_LIMIT" "${MEASURE_PIN[@]}" redis-benchmark -s "$socket" -c 1 -n 100000 -r "$BENCH_USERS" --csv \
			GET list:__rand_int__ >"$SANDBOX/theirs" 2>"$SANDBOX/error" || stop "redis-benchmark failed"
		# "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
		read -r THEIRS[p50] THEIRS[p99] <<-END
			$(tail -n 1 "$SANDBOX/theirs" | tr -d '"' | awk -F, '{ print $5 * 1000, $7 * 1000 }')
		END
		THEIRS[version]=" $version"
		THEIRS[memory]=$(awk -v full="$(redis_bytes)" -v empty="$empty" 'BEGIN { print (full - empty) / 1024 }')
	fi
	beside "one user's list, made now against fetched, p50" "${OURS[p50]}" redis p50 us
	beside "one user's list, made now against fetched, p99" "${OURS[p99]}" redis p99 us
	beside "index against lists of all users" "$(database "SELECT pg_relation_size('pairs_recsys') / 1024.0")" redis memory kb
	[ -z "$redis" ] || sandbox_run 10 redis-cli -s "$socket" shutdown nosave >/dev/null 2>&1
	[ -z "$redis" ] || wait "$redis"
	unpin
}

run_baskets()
{
	local library kind round statement
	local -A times=() found=()

	note "baskets: $BENCH_BASKETS"
	BENCH_ITEMS=2000 generate baskets "$BENCH_BASKETS" $((BENCH_BASKETS * 10))
	database "CREATE INDEX baskets_recsys ON baskets USING recsys (user_id, item_id) WITH (similarity = cosine, max_history = 100000)"
	database "VACUUM ANALYZE baskets"
	database "COPY baskets TO '$SANDBOX/baskets.tsv'"
	for kind in sets rules; do
		statement="FROM frequent_itemsets('baskets_recsys', $BENCH_SUPPORT)"
		[ "$kind" = sets ] || statement="FROM association_rules('baskets_recsys', min_support => $BENCH_SUPPORT,
			min_confidence => $BENCH_CONFIDENCE, max_length => NULL)"
		for ((round = 0; round < BENCH_ROUNDS; round++)); do
			watched "SET work_mem = '256MB';
SELECT count(*) $statement;"
			times[$kind]+=" $TIMED_MS"
			[ "$WATCHED_KB" -le "${OURS[baskets]:-0}" ] || OURS[baskets]=$WATCHED_KB
		done
		found[$kind]=$(database "SELECT count(*) $statement")
	done
	for library in pyfim mlxtend efficient-apriori; do
		ask "$library" baskets.py "$SANDBOX/baskets.tsv" "$library" "$BENCH_SUPPORT" "$BENCH_CONFIDENCE" "$BENCH_ROUNDS"
		for kind in sets rules; do
			beside "${kind/sets/item sets}, ${found[$kind]} (theirs:${THEIRS[${kind}_found]:- -})" "$(median ${times[$kind]})" \
				"$library" "$kind" ms
		done
		beside "item sets and rules, memory" "${OURS[baskets]}" "$library" memory kb
	done
	database "DROP TABLE baskets"
}

# generate TABLE USERS INTERACTIONS
generate()
{
	database "CREATE TABLE $1 (user_id bigint NOT NULL, item_id bigint NOT NULL)"
	sandbox_run "$BENCH_LIMIT" bash -c 'set -o pipefail
		"$1" users="$3" items="$4" interactions="$5" seed="$6" |
			psql -X -q -v ON_ERROR_STOP=1 -c "COPY $2 FROM STDIN"' - \
		"$SANDBOX/generate" "$1" "$2" "$BENCH_ITEMS" "$3" "$BENCH_SEED" 2>"$SANDBOX/error" ||
		stop "the data could not be loaded"
	database "VACUUM ANALYZE $1"
}

provision_server
! wanted models || have implicit
if [ "$PEERS_LENSKIT" = no ]; then
	WHY[lenskit]="its installation is some gigabytes: ask for it by lenskit=yes"
elif wanted models; then
	have lenskit
fi
! wanted baskets || { have pyfim; have mlxtend; have efficient-apriori; }
! wanted redis || private_packages "Redis" redis-tools || WHY[redis]=$PRIVATE_WHY
sandbox_begin peers "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "shared_buffers = 1GB" "autovacuum = off" "jit = off" "max_wal_size = 8GB" ||
	stop "the private server does not start"
sandbox_run 60 gcc -std=gnu11 -O2 -Wall -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm ||
	stop "the generator does not compile"
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"
if wanted models || wanted redis; then
	note "loading $BENCH_INTERACTIONS interactions of $BENCH_USERS users"
	generate pairs "$BENCH_USERS" "$BENCH_INTERACTIONS"
fi
! wanted models || run_models
! wanted redis || run_redis
! wanted baskets || run_baskets

cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs, one client; models of $BENCH_INTERACTIONS interactions of $BENCH_USERS users with
$BENCH_ITEMS items, $BENCH_BASKETS baskets at a support of $BENCH_SUPPORT and a confidence of $BENCH_CONFIDENCE

| measure | recsys | beside it | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
