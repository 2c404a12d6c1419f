# What an interaction costs, by the shape of the data.  Sourced by scale.sh.

costs_heading()
{
	printf '\n| %s | users | items | interactions | items a user | pair updates an interaction | of histories up to 500 | of all histories | user side, bytes a row | item side, bytes a row | graph, bytes an item | million updates a second |\n' "$1"
	printf '|---|---|---|---|---|---|---|---|---|---|---|---|\n'
}

# costs NAME TABLE: a line.  A pair update is one addition to a counter of the item graph: a user with n
# items makes n × n of them.
costs()
{
	local shape sections

	both "$2"
	shape=$(database "SELECT count(*), sum(items), sum(least(items, 2000)::float8 * least(items, 2000)),
			sum(least(items, 500)::float8 * least(items, 500)), sum(items::float8 * items), sum(n)
		FROM (SELECT count(DISTINCT item_id) AS items, count(*) AS n FROM $2 GROUP BY user_id) u")
	sections=$(database "SELECT s.user_bytes, s.item_bytes, s.graph_bytes, i.items
		FROM recsys.index_sections('scale_recsys') s, recsys.index_stats i WHERE i.index_name::text = 'scale_recsys'")
	awk -F '|' -v name="$1" -v graph="$GRAPH_S" '{ printf "| %s | %d | %d | %d | %.1f | %.0f | %.0f | %.0f | %.1f | %.1f | %.0f | %.0f |\n",
		name, $1, $10, $2, $2 / $1, $3 / $2, $4 / $2, $5 / $2, $7 / $6, $8 / $6, $9 / $10, $3 / graph / 1e6 }' <<-END
		$shape|$sections
	END
	database "DROP INDEX scale_recsys"
}

run_generated()
{
	local n=$SCALE_INTERACTIONS

	costs_heading "generated"
	while read -r users items interactions; do
		generate "$users" "$items" "$interactions"
		costs "" pairs
	done <<-END
		$((n * 69 / 50000)) 27000 $((n / 10))
		$((n * 69 / 15000)) 27000 $((n / 3))
		$((n * 69 / 5000)) 27000 $n
		$((n * 69 / 5000)) 100000 $n
		$((n * 69 / 5000)) 300000 $n
		$((n * 69 / 5000)) 1000000 $n
		$((n / 10)) 300000 $n
		$((n / 300)) 300000 $n
	END
	database "DROP TABLE pairs"
}

# from NAME FILE SQL…: a line for real data that are there
run_real()
{
	costs_heading "real"
	if [ -r "$data/gowalla/train.txt.gz" ]; then
		database "CREATE TABLE real (user_id bigint, item_id bigint)"
		pairs "$data"/gowalla/{train,valid}.txt.gz | read_into real
		costs "Gowalla, check-ins" real
		database "DROP TABLE real"
	fi
	if [ -r "$data/taobao/buy.train.txt.gz" ]; then
		database "CREATE TABLE real (user_id bigint, item_id bigint)"
		zcat "$data/taobao/buy.train.txt.gz" | tail -n +2 | cut -f 1,2 | read_into real
		costs "Taobao, purchases" real
		database "DROP TABLE real"
	fi
	if [ -r "$data/amazon_beauty/Beauty.txt.gz" ]; then
		database "CREATE TABLE real (user_id bigint, item_id bigint)"
		zcat "$data/amazon_beauty/Beauty.txt.gz" | awk '{ for (i = 2; i <= NF; i++) print $1 "\t" $i }' | read_into real
		costs "Amazon Beauty, purchases" real
		database "DROP TABLE real"
	fi
	if [ -r "$data/online_retail/online_retail_II.csv.gz" ]; then
		database "CREATE TABLE rows (invoice text, item_id text, description text, quantity numeric, at text, price text, customer text, country text)"
		zcat "$data/online_retail/online_retail_II.csv.gz" | read_into rows "(FORMAT csv, HEADER)"
		database "CREATE TABLE real AS SELECT customer::numeric::bigint AS user_id, item_id FROM rows WHERE customer <> '' AND quantity > 0"
		costs "Online Retail II, by customer" real
		database "DROP TABLE real; CREATE TABLE real AS SELECT invoice AS user_id, item_id FROM rows WHERE quantity > 0"
		costs "Online Retail II, by invoice" real
		database "DROP TABLE real, rows"
	fi
}
