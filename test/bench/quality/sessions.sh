# Sessions: the next item of a visit.  Sourced by quality.sh.

# Figures of the literature, with where they stand.
published_sessions()
{
	cat <<-END
		RecBole-GNN results, Diginetica, only the last item of a session: GRU4Rec|recall@10 .3691, MRR@10 .1632, NDCG@10 .2114
		the same: SASRec|recall@10 .4144, MRR@10 .1857, NDCG@10 .2393
		the same: NISER+|recall@10 .4144, MRR@10 .1904, NDCG@10 .2430
	END
}

# session_line NAME INDEX METHOD: all positions, then those of items new to the session
session_line()
{
	local figures call="recsys.evaluate_sessions('$2', 'SELECT session_id, item_id, at FROM session_test', '{20}', '$3'"

	note "    $1"
	figures=$(database "SELECT string_agg(to_char(value, 'FM0.0000'), ' | ' ORDER BY all_items DESC, array_position('{hit_rate,mrr,ndcg}', metric)) FROM (
		SELECT true AS all_items, * FROM $call, true) UNION ALL SELECT false, * FROM $call, false)) f")
	printf '| %s | %s |\n' "$1" "$figures"
}

# session_index MODEL: under the name of session_recsys
session_index()
{
	database "SET maintenance_work_mem = '$QUALITY_MEMORY'; DROP INDEX IF EXISTS session_recsys;
		CREATE INDEX session_recsys ON session_clicks USING recsys (session_id, item_id, at) WITH ($1)"
}

measure_sessions()
{
	printf '| method | HR@20 | MRR@20 | NDCG@20 | new items: HR@20 | MRR@20 | NDCG@20 |\n'
	printf '|---|---|---|---|---|---|---|\n'
	session_index "similarity = cosine"
	session_line "recommend_for_items, cosine, last item" session_recsys last_item
	session_line "recommend_for_items, cosine, whole session" session_recsys items
	session_index "similarity = cosine, min_support = 1, neighbors = 500"
	session_line "the same, all pairs, last item" session_recsys last_item
	session_line "the same, all pairs, whole session" session_recsys items
	session_line "recommend_for_session" session_recsys session
	session_index "similarity = confidence, alpha = 0, min_support = 1, neighbors = 500"
	session_line "association rules of pairs (confidence), last item" session_recsys last_item
	session_line "association rules of pairs (confidence), whole session" session_recsys items
	if knows "similarity = session"; then
		session_index "similarity = session"
		session_line "recommend_for_items, session, last item" session_recsys last_item
		session_line "recommend_for_items, session, whole session" session_recsys items
		session_line "recommend_for_session, session" session_recsys session
	fi
}

run_sessions()
{
	local part

	if [ ! -r "$data/yoochoose/train_tr.txt.gz" ]; then
		printf '\nYooChoose: no data in %s; set RECSYS_DATA.\n' "$data/yoochoose"
		return
	fi
	note "YooChoose"
	database "CREATE TABLE session_rows (session_id bigint, item_id bigint, at double precision)"
	for part in clicks:train_tr test:train_valid; do
		zcat "$data/yoochoose/${part#*:}.txt.gz" | read_into session_rows "(FORMAT csv, HEADER, DELIMITER E'\\t')"
		database "CREATE TABLE session_${part%:*} AS SELECT session_id, item_id, to_timestamp(at) AS at FROM session_rows ORDER BY at;
			TRUNCATE session_rows"
	done
	database "ANALYZE session_clicks"
	printf '\n### YooChoose, train_tr to train_valid, every item of a session from those before it: %s\n\n' "$(database "SELECT count(*) || ' clicks of ' || count(DISTINCT session_id) || ' sessions with ' || count(DISTINCT item_id) || ' items' FROM session_clicks")"
	measure_sessions
	published_sessions | while IFS='|' read -r model figures; do
		printf '| published, other data: %s: %s | | | | | | |\n' "$model" "$figures"
	done
	printf '\nNew items: only positions whose item has not come up in the session, and lists without those that have.\n'
	database "DROP TABLE session_rows, session_clicks, session_test"
}
