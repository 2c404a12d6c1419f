# How good neighbors and lists are: parts of content.sh that have data of their own.

# numbers MEASURE OURS THEIRS: a line of the table
numbers()
{
	row "$1" "$2" "$3" "$(ratio "$2" "$3")"
}

# class_precision: of each class, and of all, how many of the 10 nearest are of the same class; pictures
# has number, class and image, asked those that are asked for
class_precision()
{
	database "DROP TABLE IF EXISTS precision; CREATE TABLE precision AS
		SELECT p.class, count(DISTINCT a.number) AS asked, count(n.class) FILTER (WHERE n.class = p.class) / (10.0 * count(DISTINCT a.number)) AS precision
		FROM asked a JOIN pictures p USING (number), LATERAL similar_items(a.number, 10, 'pictures_recsys') s JOIN pictures n ON n.number = s.item_id
		GROUP BY p.class"
}

# build_pictures: sets TIMED_MS
build_pictures()
{
	database "VACUUM ANALYZE pictures"
	timed "SET max_parallel_maintenance_workers = 2;
CREATE INDEX pictures_recsys ON pictures USING recsys_items (number, recsys.image_descriptor(image));"
}

run_fashion()
{
	local file files=() every=35 labels="t-shirt trouser pullover dress coat sandal shirt sneaker bag boot"

	for file in train-images-idx3 train-labels-idx1 t10k-images-idx3 t10k-labels-idx1; do
		files+=("$SANDBOX/$file")
		! skipped fashion "$fashion/$file-ubyte.gz" || return
		zcat "$fashion/$file-ubyte.gz" >"$SANDBOX/$file" || stop "$file cannot be read"
	done
	sandbox_own "${files[@]}"
	program pictures -lpng
	database "CREATE TABLE pictures (number bigint PRIMARY KEY, class text NOT NULL, image bytea NOT NULL)"
	made rows "$SANDBOX/pictures" rows "${files[0]}" "${files[1]}" 0
	database "COPY pictures FROM '$SANDBOX/rows'"
	made rows "$SANDBOX/pictures" rows "${files[2]}" "${files[3]}" 60000
	database "COPY pictures FROM '$SANDBOX/rows'"
	build_pictures
	row "Fashion-MNIST, $(database "SELECT count(*) FROM pictures") pictures described and indexed, 2 CPUs, against 3 minutes" \
		"$(milliseconds "$TIMED_MS")" "180.0 s" "$(ratio "$TIMED_MS" 180000)"
	database "CREATE TABLE asked AS SELECT number FROM pictures WHERE number % $every = 0"
	class_precision
	made raw "$SANDBOX/pictures" raw "$every" "${files[@]}"
	database "CREATE TABLE raw (class text, asked bigint, hits bigint); COPY raw FROM '$SANDBOX/raw'"
	printf '\n### Fashion-MNIST: precision@10 by class\n\n| class | index | raw pixels |\n|---|---|---|\n'
	database "SELECT format('| %s | %s | %s |', (string_to_array('$labels', ' '))[class::integer + 1], round(p.precision, 3), round(hits / (10.0 * r.asked), 3))
		FROM precision p JOIN raw r USING (class) ORDER BY class"
	numbers "Fashion-MNIST, precision@10 of $(database "SELECT count(*) FROM asked") pictures, against raw pixels" \
		"$(database "SELECT round(sum(precision * asked) / sum(asked), 4) FROM precision")" \
		"$(database "SELECT round(sum(hits) / (10.0 * sum(asked)), 4) FROM raw")"
	database "DROP TABLE pictures, asked, raw, precision"
	rm -f "${files[@]}" "$SANDBOX/rows" "$SANDBOX/raw"
}

run_photos()
{
	! skipped photos "$data/product_photos" || return
	mkdir "$SANDBOX/photos"
	cp -r "$data/product_photos"/*/ "$SANDBOX/photos"
	(cd "$SANDBOX/photos" && find . -name '*.jpg' | sort | awk -F/ -v d="$SANDBOX/photos" '{ print NR "\t" $2 "\t" d "/" $2 "/" $3 }') >"$SANDBOX/rows"
	sandbox_own "$SANDBOX/photos" "$SANDBOX/rows"
	database "CREATE TABLE files (number bigint, class text, path text); COPY files FROM '$SANDBOX/rows'"
	database "CREATE TABLE pictures AS SELECT number, class, pg_read_binary_file(path) AS image FROM files"
	build_pictures
	row "$(database "SELECT count(*) || ' photos of ' || pg_size_pretty(avg(length(image))) FROM pictures") on average described and indexed" \
		"$(milliseconds "$TIMED_MS")" "-" "-"
	database "CREATE TABLE asked AS SELECT number FROM pictures"
	class_precision
	printf '\n### Photos of clothes: precision@10 by class\n\n| class | photos | precision@10 |\n|---|---|---|\n'
	database "SELECT format('| %s | %s | %s |', class, asked, round(precision, 3)) FROM precision ORDER BY class"
	numbers "photos of clothes, precision@10, against chance" "$(database "SELECT round(sum(precision * asked) / sum(asked), 4) FROM precision")" \
		"$(database "SELECT round(sum(asked * (asked - 1)) / (sum(asked) * (sum(asked) - 1)), 4) FROM precision")"
	database "DROP TABLE files, pictures, asked, precision"
	rm -rf "$SANDBOX/photos" "$SANDBOX/rows"
}

# cold NAME TITLE VARIABLE=FILE…: content/NAME.sql in a database of its own
cold()
{
	local name=$1 title=$2 file options=()

	shift 2
	for file in "$@"; do
		options+=(-v "$file")
		sandbox_own "${file#*=}"
	done
	database "CREATE DATABASE $name"
	sandbox_run "$BENCH_LIMIT" psql -X -q -v ON_ERROR_STOP=1 -P footer=off -d "$name" "${options[@]}" -v sample="$CONTENT_SAMPLE" -v model="$CONTENT_MODEL" \
		-c "CREATE EXTENSION recsys" -f "$SERVER_TREE/test/bench/content/$name.sql" 2>&1 || stop "$name did not finish"
	sandbox_run 60 psql -X -q -A -t -d "$name" -c "SELECT measure, round(ours::numeric, 4), round(theirs::numeric, 4) FROM summary ORDER BY place" >"$SANDBOX/summary"
	while IFS='|' read -r measure ours theirs; do
		numbers "$title: $measure" "$ours" "$theirs"
	done <"$SANDBOX/summary"
	database "DROP DATABASE $name"
	rm -f "${@#*=}"
}

# files DIRECTORY FILE…: unpacks them
files()
{
	local directory=$1 file

	shift
	for file in "$@"; do
		zcat "$data/$directory/$file.csv.gz" >"$SANDBOX/$file.csv" || stop "$file.csv.gz cannot be read"
	done
}

run_beauty()
{
	local directory=$data/amazon_beauty

	! skipped beauty "$directory"/Beauty{.txt,_item2attributes.json}.gz || return
	zcat "$directory/Beauty.txt.gz" | awk '{ for (i = 2; i <= NF; i++) print $1 "\t" $i "\t" i }' >"$SANDBOX/Beauty.csv"
	zcat "$directory/Beauty_item2attributes.json.gz" >"$SANDBOX/Beauty_item2attributes.csv"
	cold beauty "Amazon Beauty" Beauty="$SANDBOX/Beauty.csv" Beauty_item2attributes="$SANDBOX/Beauty_item2attributes.csv"
}

run_olist()
{
	! skipped olist "$data"/olist/{customers,orders_first_10000,products,order_items}.csv.gz || return
	files olist customers orders_first_10000 products order_items
	cold olist Olist customers="$SANDBOX/customers.csv" orders_first_10000="$SANDBOX/orders_first_10000.csv" products="$SANDBOX/products.csv" \
		order_items="$SANDBOX/order_items.csv"
}

run_journey()
{
	! skipped journey "$data"/completejourney/{products,transactions_sample}.csv.gz || return
	files completejourney products transactions_sample
	cold journey "Complete Journey" products="$SANDBOX/products.csv" transactions="$SANDBOX/transactions_sample.csv"
}

run_market()
{
	program catalogue -lm
	made products "$SANDBOX/catalogue" products items=20000 dimensions=64
	made purchases "$SANDBOX/catalogue" purchases items=20000 users=20000 purchases=300000
	cold market "generated marketplace" products="$SANDBOX/products" purchases="$SANDBOX/purchases"
}
