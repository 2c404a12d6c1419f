# Building, what memory it takes, what choosing a model adds, and a self-join.  Sourced by run.sh.

# build_once MEMORY WORKERS STATEMENT: sets TIMED_MS, WATCHED_KB and, of a recsys
# index, GRAPH_MS and PASSES
build_once()
{
	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database CHECKPOINT
	watched "SET maintenance_work_mem = '$1';
SET max_parallel_maintenance_workers = $2;
SET client_min_messages = debug1;
$3"
	GRAPH_MS=$(sed -n 's/.*recsys: computing item graph took \([0-9.]*\) s.*/\1/p' "$SANDBOX/error" | awk '{ print $1 * 1000 }')
	PASSES=$(sed -n 's/.*computed.* in \([0-9]*\) \(passes\|ranges, each a pass\).*/\1/p' "$SANDBOX/error")
}

kilobytes_of()
{
	case "$1" in
		*GB) echo $((${1%GB} * 1048576)) ;;
		*) echo $((${1%MB} * 1024)) ;;
	esac
}

# Rounds of all builds in turn; leaves no index behind.
run_build()
{
	local memory workers round limit peak btree_peak
	local -A ours theirs graph passes

	for memory in ${BENCH_MEMORY//,/ }; do
		peak=0 btree_peak=0 ours=() theirs=() graph=() passes=()
		for ((round = 0; round < build_rounds; round++)); do
			for workers in 0 2; do
				build_once "$memory" "$workers" "$recsys_index"
				ours[$workers]+=" $TIMED_MS"
				graph[$workers]+=" $GRAPH_MS"
				passes[$workers]=$PASSES
				[ "$WATCHED_KB" -le "$peak" ] || peak=$WATCHED_KB
				note "    build at $memory, $workers workers: recsys $TIMED_MS ms, of which the item graph $GRAPH_MS ms"
				build_once "$memory" "$workers" "$btree_index"
				theirs[$workers]+=" $TIMED_MS"
				[ "$WATCHED_KB" -le "$btree_peak" ] || btree_peak=$WATCHED_KB
				note "    build at $memory, $workers workers: btree $TIMED_MS ms"
			done
		done
		# unquoted lists on purpose: one number a word
		if wanted build; then
			for workers in 0 2; do
				row "build, $memory, $workers workers each${passes[$workers]:+, ${passes[$workers]} passes}" \
					"$(milliseconds "$(median ${ours[$workers]})")" "$(milliseconds "$(median ${theirs[$workers]})")" \
					"$(ratio "$(median ${ours[$workers]})" "$(median ${theirs[$workers]})")"
			done
			row "item graph, $memory, 2 workers against none" "$(milliseconds "$(median ${graph[2]})")" \
				"$(milliseconds "$(median ${graph[0]})")" \
				"1/$(ratio "$(median ${graph[0]})" "$(median ${graph[2]})")"
		fi
		if wanted memory; then
			limit=$(kilobytes_of "$memory")
			row "build memory, $memory, peak against the setting" "$(megabytes $((peak * 1024)))" "$(megabytes $((limit * 1024)))" \
				"$(ratio "$peak" "$limit"), $(awk -v kb=$((peak - limit)) 'BEGIN { printf "%+.0f MB", kb / 1024 }')"
			row "build memory, $memory, peak against the B-tree's" "$(megabytes $((peak * 1024)))" \
				"$(megabytes $((btree_peak * 1024)))" "$(ratio "$peak" "$btree_peak")"
		fi
	done
	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
}

run_size()
{
	local ours theirs

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	database "$recsys_index"
	database "$btree_index"
	ours=$(database "SELECT pg_relation_size('pairs_recsys')")
	theirs=$(database "SELECT pg_relation_size('pairs_btree')")
	row "index size" "$(megabytes "$ours")" "$(megabytes "$theirs")" "$(ratio "$ours" "$theirs")"
}

# What choosing a model adds to the build of the one that is chosen
run_auto()
{
	local memory=${BENCH_MEMORY%%,*} workers round model
	local -A chosen fixed

	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for workers in 0 2; do
			build_once "$memory" "$workers" "CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id);"
			chosen[$workers]+=" $TIMED_MS"
			model=$(database "SELECT model FROM recsys.index_stats WHERE index_name = 'pairs_recsys'")
			build_once "$memory" "$workers" "CREATE INDEX pairs_recsys ON pairs USING recsys (user_id, item_id) WITH ($model);"
			fixed[$workers]+=" $TIMED_MS"
			note "    build with $workers workers: auto${chosen[$workers]##* } ms, fixed${fixed[$workers]##* } ms ($model)"
		done
	done
	for workers in 0 2; do
		row "build with similarity = auto, $memory, $workers workers, against the model it chose" \
			"$(milliseconds "$(median ${chosen[$workers]})")" "$(milliseconds "$(median ${fixed[$workers]})")" \
			"$(ratio "$(median ${chosen[$workers]})" "$(median ${fixed[$workers]})")"
	done
	database "DROP INDEX IF EXISTS pairs_recsys"
}

# On a table of its own, a tenth of the size.
run_selfjoin()
{
	local users=$((BENCH_USERS / 10)) count=$((BENCH_INTERACTIONS / 10)) differences ours=() round theirs
	# the self-join does not cap anybody's history
	local uncapped="${recsys_index%);}, max_history = 100000);"

	if wanted_other_than_selfjoin; then
		database "ALTER TABLE pairs RENAME TO all_pairs"
	fi
	generate pairs "$users" "$count"
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		build_once 1GB 0 "$uncapped"
		ours+=("$TIMED_MS")
	done
	note "the self-join"
	timed "SET work_mem = '1GB';
SET max_parallel_workers_per_gather = 0;
$(cat "$root/test/bench/selfjoin.sql")"
	theirs=$TIMED_MS
	row "build at $count rows against a self-join" "$(milliseconds "$(median "${ours[@]}")")" "$(milliseconds "$theirs")" \
		"1/$(ratio "$theirs" "$(median "${ours[@]}")")"
	differences=$(database "SELECT count(*) FROM selfjoin s
		FULL JOIN item_similarity('pairs_recsys') i USING (item_id, similar_item_id)
		WHERE s.rank IS DISTINCT FROM i.rank OR s.support IS DISTINCT FROM i.support
		   OR abs(s.score - i.score) > 1e-6")
	row "item pairs that differ from the self-join's" "$differences" "$(database "SELECT count(*) FROM selfjoin") pairs" "-"
	database "DROP TABLE selfjoin, pairs"
	if wanted_other_than_selfjoin; then
		database "ALTER TABLE all_pairs RENAME TO pairs"
	fi
}
