# Partitioned tables.  Sourced by run.sh.

# partition NUMBER: the rows of pairs in so many partitions, over which everybody's are spread, as they are by month
partition()
{
	note "copying the table into $1 partitions"
	database "CREATE TABLE parted_$1 (user_id bigint NOT NULL, item_id bigint NOT NULL, month integer NOT NULL) PARTITION BY LIST (month)"
	database "DO \$\$ BEGIN
		FOR m IN 0 .. $1 - 1 LOOP
			EXECUTE format('CREATE TABLE parted_${1}_%s PARTITION OF parted_$1 FOR VALUES IN (%1\$s)', m);
		END LOOP;
	END \$\$"
	database "INSERT INTO parted_$1 SELECT user_id, item_id, floor(random() * $1) FROM pairs"
	database "SELECT count(*) FROM parted_$1" >/dev/null
}

# A partitioned table against a plain one: building, answers, what recommend takes
run_parts()
{
	local index="USING recsys (user_id, item_id) WITH (similarity = cosine)" number workers round differences typical=1
	local -A ours=() theirs=()

	database "DROP INDEX IF EXISTS pairs_recsys, pairs_btree"
	partition 12
	for ((round = 0; round < BENCH_ROUNDS; round++)); do
		for workers in 0 2; do
			database "DROP INDEX IF EXISTS parted_12_recsys, pairs_recsys"
			database CHECKPOINT
			timed "SET max_parallel_maintenance_workers = $workers;
CREATE INDEX parted_12_recsys ON parted_12 $index;"
			ours[$workers]+=" $TIMED_MS"
			database CHECKPOINT
			timed "SET max_parallel_maintenance_workers = $workers;
CREATE INDEX pairs_recsys ON pairs $index;"
			theirs[$workers]+=" $TIMED_MS"
			note "    build with $workers workers: 12 partitions ${ours[$workers]##* } ms, one table ${theirs[$workers]##* } ms"
		done
	done
	for workers in 0 2; do
		row "build over 12 partitions against one table, $workers workers" \
			"$(milliseconds "$(median ${ours[$workers]})")" "$(milliseconds "$(median ${theirs[$workers]})")" \
			"$(ratio "$(median ${ours[$workers]})" "$(median ${theirs[$workers]})")"
	done
	database "VACUUM ANALYZE pairs"
	for number in 12 1 24; do
		[ "$number" = 12 ] || partition "$number"
		[ "$number" = 12 ] || database "CREATE INDEX parted_${number}_recsys ON parted_$number $index"
		database "VACUUM ANALYZE parted_$number"
		database CHECKPOINT
		differences=$(database "SELECT count(*) FROM item_similarity('parted_${number}_recsys') p
			FULL JOIN item_similarity('pairs_recsys') i USING (item_id, similar_item_id)
			WHERE p.rank IS DISTINCT FROM i.rank OR p.support IS DISTINCT FROM i.support OR p.score IS DISTINCT FROM i.score")
		row "item pairs that differ, $number partitions" "$differences" "-" "-"
		differences=$(database "SELECT count(*) FROM generate_series(1, least(10000, $BENCH_USERS)) u, LATERAL (
			SELECT count(*) FILTER (WHERE p.item_id IS DISTINCT FROM i.item_id OR p.score IS DISTINCT FROM i.score) > 0 AS differs
			FROM recommend(u::bigint, 10, 'parted_${number}_recsys') WITH ORDINALITY p
			FULL JOIN recommend(u::bigint, 10, 'pairs_recsys') WITH ORDINALITY i USING (ordinality)) d WHERE differs")
		row "users whose lists differ, of the first 10,000, $number partitions" "$differences" "-" "-"
		pin
		shop_load "recommend over $number partitions against one table" shop "parted_${number}_recsys" pairs_recsys
		unpin
		database "DROP TABLE parted_$number"
	done
}
