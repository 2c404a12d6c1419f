#!/bin/bash
# Measures how good the recommendations are, and what each model costs: prints a
# Markdown table for each data set.
#
#     test/bench/quality.sh [option=value…] [gowalla] [retail] [generated] [baskets] [sessions] [cross]
#
# Without a data set, all that are there.  Options, with their defaults:
#     models=FILE      models to try, one a line as in CREATE INDEX … WITH (…);
#                      default: those listed below that this recsys knows
#     interactions=1000000  users=interactions/72.5  items=27000   of the generated data
#     memory=4GB       maintenance_work_mem
#     limit=7200       seconds after which everything is given up
#
# The real data are not part of the project: they are read from $RECSYS_DATA, or
# ../shared/data beside the project, if they are there:
#     gowalla/{train,valid,test}.txt.gz       check-ins, a line a user: user item item …,
#                                             split as for LightGCN (SNAP)
#     online_retail/online_retail.csv.gz      UCI Online Retail
#     taobao/{buy.train.txt,buy.test.txt,cart.csv}.gz   purchases and carts, split as for EHCF
# The server is private and gone afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"
for part in "$root"/test/bench/quality/*.sh; do
	. "$part"
done

QUALITY_INTERACTIONS=1000000
QUALITY_USERS=
QUALITY_ITEMS=27000
QUALITY_MODELS=
QUALITY_MEMORY=4GB
BENCH_LIMIT=7200
parts=
for argument in "$@"; do
	case "$argument" in
		interactions=[1-9]* | users=[1-9]* | items=[1-9]* | models=* | memory=*)
			name=QUALITY_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		gowalla | retail | generated | baskets | sessions | cross) parts="$parts $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:=gowalla retail generated baskets sessions cross}"
: "${QUALITY_USERS:=$((QUALITY_INTERACTIONS * 69 / 5000))}"
data=${RECSYS_DATA:-$root/../shared/data}

# The options of the counted measures were chosen on the validation part of Gowalla by recsys.tune,
# those of spectral are its defaults, which were; the others are those of the literature.
default_models()
{
	cat <<-END
		similarity = cosine, min_support = 1
		similarity = cosine, min_support = 1, neighbors = 500, shrinkage = 10
		similarity = jaccard, min_support = 1, neighbors = 500, shrinkage = 20
		similarity = confidence, min_support = 1, neighbors = 500, alpha = 0.3
		similarity = log_likelihood, min_support = 1
		similarity = itemknn, min_support = 1, neighbors = 500, candidates = 100
		similarity = rp3beta, min_support = 1, neighbors = 500
		similarity = slim, min_support = 1, neighbors = 500
		similarity = spectral, min_support = 1, neighbors = 500
		similarity = ease, min_support = 1, neighbors = 500
		similarity = als, min_support = 1
	END
}

# Recall and NDCG at 20 in the literature: the table of BARS (openbenchmark.github.io/BARS, Zhu et al.,
# SIGIR 2022) for Gowalla, all on the same split and protocol.
published()
{
	cat <<-END
		ItemCF|.1570|.1214
		SLIM|.1699|.1382
		EASE|.1765|.1467
		LightGCN|.1820|.1547
		GF-CF|.1849|.1518
		UltraGCN|.1862|.1580
		SimpleX|.1872|.1557
	END
}

# knows MODEL: can this recsys build it?
knows()
{
	sandbox_run 60 psql -X -q -c "CREATE TEMP TABLE t (u int, i int)" \
		-c "CREATE INDEX ON t USING recsys (u, i) WITH ($1)" >/dev/null 2>"$SANDBOX/error"
}

heading()
{
	printf '\n### %s\n\n' "$1"
	printf '| model | recall@20 | NDCG@20 | coverage@20 | training | index | recommend |\n'
	printf '|---|---|---|---|---|---|---|\n'
}

# measure TABLE COLUMNS TEST-QUERY ITEM-TYPE: a line for each model
measure()
{
	local model training figures size latency call="recommend(user_id, 10, 'quality_recsys', NULL::$4)"

	database "CREATE TABLE sample AS SELECT user_id FROM (SELECT DISTINCT user_id FROM $1) u ORDER BY hashint8(user_id) LIMIT 2000"
	while read -r model; do
		[ -n "$model" ] || continue
		if ! knows "$model"; then
			note "    not known to this recsys: $model"
			continue
		fi
		note "    $model"
		timed "SET maintenance_work_mem = '$QUALITY_MEMORY';
CREATE INDEX quality_recsys ON $1 USING recsys ($2) WITH ($model);"
		training=$TIMED_MS
		size=$(database "SELECT pg_relation_size('quality_recsys')")
		database "VACUUM $1"
		timed "SELECT count(*) FROM sample, LATERAL $call;
SELECT count(*) FROM sample, LATERAL $call;"
		latency=$(awk -v ms="$TIMED_MS" 'BEGIN { printf "%.0f", ms / 2 }')
		figures=$(database "SET maintenance_work_mem = '$QUALITY_MEMORY';
			SELECT string_agg(to_char(value, 'FM0.0000'), ' | ' ORDER BY array_position('{recall,ndcg,coverage}', metric))
			FROM recsys.evaluate_recommender('quality_recsys', \$q\$$3\$q\$, k => '{20}', metrics => '{recall,ndcg,coverage}', resamples => 0)")
		printf '| %s | %s | %s | %s | %s µs |\n' "$model" "$figures" "$(milliseconds "$training")" "$(megabytes "$size")" "$latency"
		database "DROP INDEX quality_recsys"
	done <"$SANDBOX/models"
	database "DROP TABLE sample"
}

# pairs FILE…: user and item, a line each, from lines "user item item …"
pairs()
{
	zcat "$@" | awk '{ for (i = 2; i <= NF; i++) print $1 "\t" $i }'
}

# read_into TABLE: COPY from standard input, which sandbox_run does not pass on
read_into()
{
	cat >"$SANDBOX/copy"
	sandbox_own "$SANDBOX/copy"
	database "COPY $1 FROM '$SANDBOX/copy' $2"
	rm -f "$SANDBOX/copy"
}

# The published ItemCF: the rating that is predicted for an item is its mean, corrected by how far the user's
# ratings of the 100 items most similar to it are above theirs, as a weighted mean (Herlocker et al. 1999,
# for items; an item not taken is a rating of 0).  The means do not fit an item graph, so that this adds them in
# SQL to the cosines of query_item_similarity.  Of what shares no item with a user only the 20 with the highest
# constant part can be among the best 20.
itemcf()
{
	local figures

	note "    ItemCF in SQL"
	database "SET work_mem = '1GB';
		CREATE UNLOGGED TABLE seen AS SELECT DISTINCT user_id, item_id FROM gowalla;
		CREATE UNIQUE INDEX ON seen (user_id, item_id);
		CREATE UNLOGGED TABLE weights AS
			SELECT similar_item_id AS item_id, item_id AS target, score / sum(score) OVER (PARTITION BY item_id) AS weight
			FROM query_item_similarity('SELECT * FROM seen', neighbors => 100, min_support => 1);
		CREATE UNLOGGED TABLE means AS
			SELECT item_id, count(*)::float8 / (SELECT count(DISTINCT user_id) FROM seen) AS mean FROM seen GROUP BY item_id;
		CREATE UNLOGGED TABLE constants AS
			SELECT m.item_id, m.mean - coalesce(sum(w.weight * other.mean), 0) AS constant
			FROM means m LEFT JOIN weights w ON w.target = m.item_id LEFT JOIN means other ON other.item_id = w.item_id
			GROUP BY m.item_id, m.mean;
		CREATE INDEX ON weights (item_id) INCLUDE (target, weight);
		CREATE INDEX ON constants (constant DESC) INCLUDE (item_id)"
	database "VACUUM ANALYZE seen, weights, constants"
	database "SET work_mem = '1GB';
		CREATE UNLOGGED TABLE lists AS
			SELECT u.user_id, l.item_id, l.place FROM (SELECT DISTINCT user_id FROM gowalla_test) u, LATERAL (
				SELECT item_id, row_number() OVER (ORDER BY constant + sum(weight) DESC, item_id) AS place
				FROM (
					SELECT w.target AS item_id, w.weight FROM seen s JOIN weights w USING (item_id) WHERE s.user_id = u.user_id
					UNION ALL
					(SELECT c.item_id, 0 FROM constants c
						WHERE NOT EXISTS (SELECT FROM seen s WHERE s.user_id = u.user_id AND s.item_id = c.item_id)
						ORDER BY c.constant DESC LIMIT 20)) candidate
				JOIN constants USING (item_id)
				WHERE NOT EXISTS (SELECT FROM seen s WHERE s.user_id = u.user_id AND s.item_id = candidate.item_id)
				GROUP BY item_id, constant
				ORDER BY place LIMIT 20) l"
	figures=$(database "SELECT to_char(avg(recall), 'FM0.0000') || ' | ' || to_char(avg(ndcg), 'FM0.0000') FROM (
			SELECT count(place)::float8 / count(*) AS recall, coalesce(sum(ln(2) / ln(place + 1)), 0) / max(ideal) AS ndcg
			FROM gowalla_test LEFT JOIN lists USING (user_id, item_id)
			JOIN (SELECT user_id, least(20, count(*)) AS held FROM gowalla_test GROUP BY user_id) h USING (user_id)
			JOIN (SELECT held, sum(ln(2) / ln(held + 1)) OVER (ORDER BY held) AS ideal FROM generate_series(1, 20) held) i USING (held)
			GROUP BY user_id) f")
	printf '| ItemCF as published, in SQL from query_item_similarity (cosine) | %s | | | | |\n' "$figures"
	database "DROP TABLE seen, weights, means, constants, lists"
}

run_gowalla()
{
	if [ ! -r "$data/gowalla/train.txt.gz" ]; then
		printf '\nGowalla: no data in %s; set RECSYS_DATA.\n' "$data/gowalla"
		return
	fi
	note "Gowalla"
	database "CREATE TABLE gowalla (user_id bigint, item_id bigint); CREATE TABLE gowalla_test (user_id bigint, item_id bigint)"
	pairs "$data"/gowalla/{train,valid}.txt.gz | read_into gowalla
	pairs "$data/gowalla/test.txt.gz" | read_into gowalla_test
	database "ANALYZE gowalla"
	heading "Gowalla, split of LightGCN: $(database "SELECT count(*) || ' interactions of ' || count(DISTINCT user_id) || ' users with ' || count(DISTINCT item_id) || ' items' FROM gowalla")"
	measure gowalla "user_id, item_id" "SELECT * FROM gowalla_test" bigint
	itemcf
	published | while IFS='|' read -r model recall ndcg; do
		printf '| published: %s | %s | %s | | | | |\n' "$model" "$recall" "$ndcg"
	done
	database "DROP TABLE gowalla, gowalla_test"
}

run_retail()
{
	local cut

	if [ ! -r "$data/online_retail/online_retail.csv.gz" ]; then
		printf '\nOnline Retail: no data in %s; set RECSYS_DATA.\n' "$data/online_retail"
		return
	fi
	note "Online Retail"
	database "CREATE TABLE retail_rows (invoice text, item_id text, description text, quantity int, at timestamp, price numeric, customer text, country text)"
	zcat "$data/online_retail/online_retail.csv.gz" | read_into retail_rows "(FORMAT csv, HEADER)"
	cut=$(database "SELECT min(at) + 0.8 * (max(at) - min(at)) FROM retail_rows")
	database "CREATE TABLE retail AS SELECT customer::bigint AS user_id, item_id, at FROM retail_rows WHERE customer <> '' AND quantity > 0 AND at < '$cut'"
	database "CREATE TABLE retail_test AS SELECT customer::bigint AS user_id, item_id FROM retail_rows WHERE customer <> '' AND quantity > 0 AND at >= '$cut'"
	database "ANALYZE retail"
	heading "Online Retail, items new to the customer in the last fifth of the time: $(database "SELECT count(*) || ' purchases of ' || count(DISTINCT user_id) || ' customers with ' || count(DISTINCT item_id) || ' items' FROM retail")"
	measure retail "user_id, item_id, at" "SELECT * FROM retail_test" text
	database "DROP TABLE retail, retail_test, retail_rows"
}

run_generated()
{
	note "generated"
	sandbox_run 60 gcc -O2 -o "$SANDBOX/generate" "$SERVER_TREE/test/bench/generate.c" -lm || stop "generate.c does not build"
	sandbox_run 600 bash -c '"$1" users="$3" items="$4" interactions="$5" seed=1 >"$2"' - "$SANDBOX/generate" "$SANDBOX/pairs" \
		"$QUALITY_USERS" "$QUALITY_ITEMS" "$QUALITY_INTERACTIONS" 2>"$SANDBOX/error" || stop "the data could not be made"
	database "CREATE TABLE everything (user_id bigint, item_id bigint)"
	database "COPY everything FROM '$SANDBOX/pairs'"
	database "CREATE TABLE held AS SELECT user_id::bigint, item_id::bigint FROM recsys.holdout('SELECT * FROM everything', holdout_share => 0.2)"
	database "CREATE TABLE generated AS SELECT * FROM everything EXCEPT SELECT * FROM held"
	database "ANALYZE generated"
	heading "Generated, a fifth of each user's items held out: $(database "SELECT count(*) || ' interactions of ' || count(DISTINCT user_id) || ' users with ' || count(DISTINCT item_id) || ' items' FROM generated")"
	measure generated "user_id, item_id" "SELECT * FROM held" bigint
	database "DROP TABLE everything, held, generated"
}

provision_server
sandbox_begin quality "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "autovacuum = off" "shared_buffers = 1GB" "maintenance_work_mem = 1GB" || exit 1
database "CREATE EXTENSION recsys"
if [ -n "$QUALITY_MODELS" ]; then
	cp "$QUALITY_MODELS" "$SANDBOX/models"
else
	default_models >"$SANDBOX/models"
fi
for part in $parts; do
	run_$part
done
server_stop
