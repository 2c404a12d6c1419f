#!/bin/bash
# make demo: recommendations from real supermarket baskets.
#
# Downloads Debian's package weka, takes the one file with the baskets out of it
# (nothing of it is installed), loads it into a private throw-away server, trains
# an index and shows what it recommends, with the time of each step.  Everything
# started or written is gone afterwards.  Missing packages are installed first
# (lib/provision.sh).
#
# DEMO_ARFF=/path/to/supermarket.arff uses a file that is already there.
# The SQL is in demo.sql.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"

data_file=./usr/share/doc/weka/examples/supermarket.arff

fail()
{
	echo "recsys: $*" >&2
	exit 1
}

# The baskets, from the package.
download()
{
	local log=$SANDBOX/download.log

	command -v apt-get >/dev/null || fail "the demo's baskets come as a Debian package, and there is no apt-get here"
	mkdir "$SANDBOX/package"
	sandbox_own "$SANDBOX/package"
	if ! sandbox_run 120 bash -c 'cd "$1" && apt-get download -q weka' - "$SANDBOX/package" >"$log" 2>&1; then
		# no package lists yet, or old ones
		provision_apt_begin "the package lists"
		provision_apt_update
		if ! sandbox_run 120 bash -c 'cd "$1" && apt-get download -q weka' - "$SANDBOX/package" >"$log" 2>&1; then
			cat "$log" >&2
			fail "the package weka, which holds the demo's baskets, could not be downloaded"
		fi
	fi
	sandbox_run 60 bash -c 'cd "$1" && dpkg -x weka_*.deb .' - "$SANDBOX/package" ||
		fail "the package weka could not be unpacked"
	arff=$SANDBOX/package/$data_file
	[ -f "$arff" ] || fail "the package weka holds no $data_file any more"
}

# Two tab-separated files from the ARFF file: its attributes are the products
# and every line after @data is a basket with "t" for what was bought.  Left out
# are the 111 anonymous departments and the attribute "total" (low or high);
# 26 baskets hold nothing else.
parse()
{
	awk -v items="$SANDBOX/items.tsv" -v baskets="$SANDBOX/baskets.tsv" '
		/^@attribute/ {
			column++
			split($0, quoted, "\047")
			name = quoted[2]
			if (name !~ /^department[0-9]+$/ && name != "total")
			{
				product[column] = name
				printf "%d\t%s\n", column, name > items
			}
			next
		}
		/^@data/ { reading = 1; next }
		reading && NF {
			basket++
			empty++
			count = split($0, value, ",")
			for (i = 1; i <= count; i++)
				if (value[i] == "t" && i in product)
				{
					if (last != basket)
						empty--
					last = basket
					printf "%d\t%d\n", basket, i > baskets
				}
		}
		END { print basket + 0, empty + 0 }' "$1" >"$SANDBOX/counts" || return 1
	[ -s "$SANDBOX/items.tsv" ] && [ -s "$SANDBOX/baskets.tsv" ]
}

began=$SECONDS
provision_server
sandbox_begin demo 840
server_copy "$root" || exit 1

echo "recsys demo: real supermarket baskets on $("$PG_CONFIG" --version)"
if [ -n "$DEMO_ARFF" ]; then
	arff=$DEMO_ARFF
	[ -f "$arff" ] || fail "DEMO_ARFF=$arff is not a file"
else
	download
fi
parse "$arff" || fail "$arff is not the supermarket data"
read -r all empty <"$SANDBOX/counts"
if ! server_build; then
	grep -v '^gcc ' "$SERVER_LOG" | tail -n 60 >&2
	fail "recsys does not build"
fi
server_start || fail "the private server does not start"

ready=$SECONDS
echo "The file has $all baskets.  It names $(wc -l <"$SANDBOX/items.tsv") products; of the rest of a basket it tells only"
echo "the department. $empty baskets hold nothing else, so $((all - empty)) are loaded."
SANDBOX_ENV+=(PGDATABASE=postgres PGOPTIONS='-c client_min_messages=warning')
sandbox_own "$SANDBOX"/*.tsv
sandbox_run 300 bash -c 'cd "$1" && psql -X -q -v ON_ERROR_STOP=1 -f "$2" 2>&1' - \
	"$SANDBOX" "$SERVER_TREE/test/demo.sql" || fail "the demo did not finish"
server_stop
echo
echo "Done in $((SECONDS - began)) seconds: $((ready - began)) for download, build and a private server, $((SECONDS - ready)) for the demo itself."
echo "The server and its files are removed; the SQL of this demo is test/demo.sql."
echo
echo "Next, on your own server:"
echo "    make PG_CONFIG=$PG_CONFIG && sudo make install PG_CONFIG=$PG_CONFIG"
echo "    psql -c 'CREATE EXTENSION recsys'"
echo "and then the 60 seconds of README.md, or an index on a table of yours:"
echo "    CREATE INDEX ON your_table USING recsys (user_id, item_id);"
echo "    SELECT * FROM recommend(42, 10);"
