# Item graphs of a share of the users.  Sourced by scale.sh.
#
# A sample is a partial index: the users whose hash is below a threshold.  The history of the user who
# asks is complete, and comes from an index without a graph (similarity = popular); both together
# are a declared recommender.  With shares below 20 three samples are drawn, by three hashes, and means shown.

# sample NAME TABLE TEST: a table of recall by share
sample()
{
	local share seeds seed options=$SCALE_MODEL

	database "CREATE INDEX scale_history ON $2 USING recsys (user_id, item_id) WITH (similarity = popular);
		CREATE INDEX scale_whole ON $2 USING recsys (user_id, item_id) WITH ($options);
		CREATE TABLE askers AS SELECT user_id, array_agg(DISTINCT item_id) AS held FROM $3 t
			WHERE EXISTS (SELECT FROM $2 h WHERE h.user_id = t.user_id) GROUP BY user_id
			ORDER BY hashint8extended(user_id, 99) LIMIT $SCALE_ASKERS;
		CREATE TABLE best AS SELECT item_id, similar_item_id, support FROM item_similarity('scale_whole') WHERE rank <= 10;
		CREATE TABLE figures (seed int, users float8, support float8, updates float8, recall float8, overlap float8, used float8)"
	printf '\n%s: %s\n\n' "$1" "$(database "SELECT count(*) || ' interactions of ' || count(DISTINCT user_id) || ' users with ' || count(DISTINCT item_id) || ' items' FROM $2")"
	printf '| share of the users | users | pair updates | median support of the ten best | recall@20 | of the whole | ten best neighbors kept | weighted by use |\n|---|---|---|---|---|---|---|---|\n'
	for share in 1 2 5 10 20 50 100; do
		seeds="1 2 3"
		[ "$share" -lt 20 ] || seeds=1
		for seed in $seeds; do
			note "    $1, $share %, $seed"
			database "CREATE INDEX scale_sample ON $2 USING recsys (user_id, item_id) WITH ($options)
				WHERE (hashint8extended(user_id, $seed) & 9223372036854775807) % 100 < $share"
			database "SELECT recsys.create_recommender('scale', '[{\"events\": \"scale_history\", \"graph\": \"scale_sample\"}]')" >/dev/null
			database "INSERT INTO figures SELECT $seed,
				(SELECT i.users FROM recsys.index_stats i WHERE i.index_name::text = 'scale_sample'),
				$share / 100.0 * (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY support) FROM best),
				(SELECT sum(n::float8 * n) FROM (SELECT least(count(DISTINCT item_id), 2000) AS n FROM $2
					WHERE (hashint8extended(user_id, $seed) & 9223372036854775807) % 100 < $share GROUP BY user_id) h),
				(SELECT avg((SELECT count(*) FROM recommend(a.user_id, 20, 'scale') r WHERE r.item_id = ANY (a.held))::float8 / cardinality(a.held))
					FROM askers a), o.*
				FROM (SELECT avg(kept), sum(kept * users) / sum(users) FROM (
					SELECT count(s.item_id)::float8 / count(*) AS kept, max(n.users) AS users
					FROM best b LEFT JOIN (SELECT item_id, similar_item_id FROM item_similarity('scale_sample') WHERE rank <= 10) s
						USING (item_id, similar_item_id) JOIN (SELECT item_id, count(DISTINCT user_id) AS users FROM $2 GROUP BY item_id) n USING (item_id)
					GROUP BY item_id) k) o"
			database "SELECT recsys.drop_recommender('scale')" >/dev/null
			database "DROP INDEX scale_sample"
		done
		database "SELECT '| $share % | ' || round(avg(users)) || ' | ' || trim(to_char(avg(updates), '9.9EEEE')) || ' | ' || round(avg(support)::numeric, 2) || ' | ' || to_char(avg(recall), 'FM0.0000') ||
			' | ' || '@' || avg(recall) || '@ | ' || to_char(avg(overlap), 'FM0.000') || ' | ' || to_char(avg(used), 'FM0.000') || ' |' FROM figures" >>"$SANDBOX/lines"
		database "TRUNCATE figures"
	done
	# the last line is the whole
	awk -F '@' '{ head[NR] = $1; value[NR] = $2; tail[NR] = $3 }
		END { for (i = 1; i <= NR; i++) printf "%s%.0f %%%s\n", head[i], 100 * value[i] / value[NR], tail[i] }' "$SANDBOX/lines"
	rm -f "$SANDBOX/lines"
	database "DROP TABLE askers, best, figures; DROP INDEX scale_history, scale_whole"
}

# each_real FUNCTION: for real data that are there, with the tables real and held
each_real()
{
	if [ -r "$data/gowalla/train.txt.gz" ]; then
		database "CREATE TABLE real (user_id bigint, item_id bigint); CREATE TABLE held (user_id bigint, item_id bigint)"
		pairs "$data"/gowalla/{train,valid}.txt.gz | read_into real
		pairs "$data/gowalla/test.txt.gz" | read_into held
		database "VACUUM ANALYZE real"
		$1 "Gowalla, split of LightGCN" real held
		database "DROP TABLE real, held"
	fi
	if [ -r "$data/online_retail/online_retail_II.csv.gz" ]; then
		database "CREATE TABLE rows (invoice text, code text, description text, quantity numeric, at timestamp, price text, customer text, country text)"
		zcat "$data/online_retail/online_retail_II.csv.gz" | read_into rows "(FORMAT csv, HEADER)"
		database "CREATE TABLE numbers AS SELECT code, row_number() OVER (ORDER BY code) AS item_id FROM (SELECT DISTINCT code FROM rows) c;
			CREATE TABLE bought AS SELECT DISTINCT customer::numeric::bigint AS user_id, item_id,
				at >= (SELECT min(at) + 0.8 * (max(at) - min(at)) FROM rows) AS late
				FROM rows JOIN numbers USING (code) WHERE customer <> '' AND quantity > 0;
			CREATE TABLE real AS SELECT user_id, item_id FROM bought WHERE NOT late;
			CREATE TABLE held AS SELECT user_id, item_id FROM bought WHERE late EXCEPT SELECT * FROM real"
		database "VACUUM ANALYZE real"
		$1 "Online Retail II, new to the customer in the last fifth of the time" real held
		database "DROP TABLE rows, numbers, bought, real, held"
	fi
	if [ -r "$data/amazon_beauty/Beauty.txt.gz" ]; then
		database "CREATE TABLE real (user_id bigint, item_id bigint); CREATE TABLE held (user_id bigint, item_id bigint)"
		zcat "$data/amazon_beauty/Beauty.txt.gz" | awk '{ for (i = 2; i < NF; i++) print $1 "\t" $i }' | read_into real
		zcat "$data/amazon_beauty/Beauty.txt.gz" | awk '{ print $1 "\t" $NF }' | read_into held
		database "VACUUM ANALYZE real"
		$1 "Amazon Beauty, the last purchase" real held
		database "DROP TABLE real, held"
	fi
}

run_sample()
{
	each_real sample
}

# The scores of pairs in samples, beside those of all users, by the support to be expected in the sample.  A
# pair is of the graph of all users; its score in a sample is 0 if nobody in it has both items.  Five samples.
bound()
{
	local share seed

	printf '\n%s\n\n' "$1"
	printf '| share | support in the sample | pairs | relative error, measured | derived | upper bound | within 1.96 of the derived | beyond twice the bound |\n|---|---|---|---|---|---|---|---|\n'
	database "CREATE TABLE users_of AS SELECT item_id, user_id FROM $2 GROUP BY 1, 2;
		CREATE INDEX ON users_of (item_id) INCLUDE (user_id);
		CREATE INDEX scale_whole ON $2 USING recsys (user_id, item_id) WITH (similarity = cosine, min_support = 1);
		CREATE TABLE whole AS SELECT item_id, similar_item_id, support, score FROM item_similarity('scale_whole')
			WHERE item_id < similar_item_id AND support >= 5 ORDER BY hashint8extended(item_id * 1000003 + similar_item_id, 5) LIMIT 100000;
		CREATE TABLE popularity AS SELECT item_id, count(*) AS users FROM users_of GROUP BY 1;
		CREATE TABLE errors (expected float8, error float8, derived float8, bound float8)"
	database "VACUUM ANALYZE users_of, whole, popularity"
	for share in 5 20; do
		note "    $1, $share %"
		for seed in 1 2 3 4 5; do
			database "WITH sampled AS MATERIALIZED (
					SELECT item_id, user_id FROM users_of WHERE (hashint8extended(user_id, $seed) & 9223372036854775807) % 100 < $share),
				n AS MATERIALIZED (SELECT item_id, count(*) AS users FROM sampled GROUP BY 1),
				c AS (
					SELECT w.item_id, w.similar_item_id, count(b.user_id) AS support
					FROM whole w LEFT JOIN (sampled a JOIN sampled b ON b.user_id = a.user_id)
						ON a.item_id = w.item_id AND b.item_id = w.similar_item_id
					GROUP BY 1, 2)
				INSERT INTO errors SELECT w.support * $share / 100.0,
					coalesce(c.support / sqrt(ni.users::float8 * nj.users), 0) / (w.support / sqrt(pi.users::float8 * pj.users)) - 1,
					sqrt((100.0 - $share) / $share * greatest(0, 1.0 / w.support - 0.75 / pi.users - 0.75 / pj.users + w.support / 2.0 / pi.users / pj.users)),
					sqrt((100.0 - $share) / $share / w.support)
				FROM whole w JOIN c USING (item_id, similar_item_id)
				JOIN popularity pi ON pi.item_id = w.item_id JOIN popularity pj ON pj.item_id = w.similar_item_id
				LEFT JOIN n ni ON ni.item_id = w.item_id LEFT JOIN n nj ON nj.item_id = w.similar_item_id"
		done
		database "SELECT '| $share % | ' || bin || ' | ' || count(*) / 5 || ' | ' || to_char(sqrt(avg(error * error)), 'FM0.000') || ' | ' ||
				to_char(sqrt(avg(derived * derived)), 'FM0.000') || ' | ' || to_char(sqrt(avg(bound * bound)), 'FM0.000') || ' | ' ||
				to_char(avg((abs(error) <= 1.96 * derived)::int), 'FM0.000') || ' | ' || to_char(avg((abs(error) > 2 * bound)::int), 'FM0.000') || ' |'
			FROM errors, LATERAL (SELECT CASE WHEN expected < 1 THEN 'below 1' WHEN expected < 2 THEN '1 to 2' WHEN expected < 5 THEN '2 to 5'
				WHEN expected < 10 THEN '5 to 10' WHEN expected < 20 THEN '10 to 20' WHEN expected < 50 THEN '20 to 50' ELSE 'from 50' END AS bin) b
			GROUP BY bin ORDER BY min(expected)"
		database "TRUNCATE errors"
	done
	database "DROP TABLE users_of, whole, popularity, errors; DROP INDEX scale_whole"
}

run_bound()
{
	each_real bound
}
