# Clients in many languages against a server that they reach by TCP and a password.
#
# Each client has the example of doc/drivers.md in it, word for word, and a template of clients/
# around that.  It runs twice: as a role that may hardly do anything, and as one that reads all,
# as tools for reports do.  It prints lines, fields separated by tabs, which are compared with what
# psql says:
#
#     connected ROLE DATABASE
#     schema, view, column, function  NAME COMMENT    as its own catalogue functions have them, or
#                                                     as listing.sql has
#     schemaname, viewname and so on  NAME            where those know no comments
#     called NAME KEYS      lists of the example: user, visitor, cart, shown; clicked
#     read VIEW ROWS N      N: values that are not NULL; every view of schemas recsys and shop
#                           that the role may read
#     typed …               the row of types.sql
#
# Then a collector of events over HTTP and what sends to it, both from doc/ingest.md, while the one and
# its connections are killed.
#
# Called by test/run.sh, see there.

DRIVERS=$RECSYS_TREE/test/drivers
PAGE=$RECSYS_TREE/doc/drivers.md
export DRIVERS PYTHONDONTWRITEBYTECODE=1
tests=0
ran=0
tab=$(printf '\t')

# check STATUS NAME
check()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
	fi
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests # SKIP $1"
}

# blocks LANGUAGE [HEADING [PAGE]]: fenced blocks of the page, below that heading
blocks()
{
	awk -v fence="\`\`\`$1" -v heading="${2:+### $2}" '
		BEGIN { here = heading == "" }
		/^##/ && !inside { here = heading == "" || $0 == heading }
		/^```$/ && inside { inside = 0 }
		inside { print }
		here && $0 == fence { inside = 1 }' "${3:-$PAGE}"
}

# The cluster: nobody gets in without a password, and nothing but this machine.
start_server()
{
	local try

	echo "it's a secret" >password
	initdb -D data -U postgres -A scram-sha-256 --pwfile=password -E UTF8 --locale=C --no-sync >initdb.log 2>&1 || return 1
	mkdir -m 700 socket
	cat >>data/postgresql.conf <<-END
		fsync = off
		jit = off
		autovacuum = off
		timezone = 'UTC'
		unix_socket_directories = ''
		listen_addresses = '127.0.0.1'
		recsys.blas_warning = off
	END
	# libpq's own files are not those of the user
	export PGPASSFILE=$PWD/none PGSERVICEFILE=$PWD/none
	export PGHOST=127.0.0.1 PGUSER=postgres PGDATABASE=postgres PGPASSWORD="it's a secret"
	for try in 1 2 3 4 5 6 7 8; do
		export PGPORT=$((20000 + (RANDOM * 7 + $$) % 20000))
		pg_ctl -D data -o "-p $PGPORT" -l server.log -w -t 60 start >start.log 2>&1 && return 0
	done
	return 1
}

load()
{
	createdb shop || return 1
	export PGDATABASE=shop
	{
		echo 'CREATE EXTENSION recsys;'
		cat "$RECSYS_TREE/test/manual/shop.sql"
		blocks sql
		cat "$DRIVERS/setup.sql"
	} | psql -X -q -v ON_ERROR_STOP=1 >load.log
}

ask()
{
	psql -X -A -t -F "$tab" -v ON_ERROR_STOP=1 "$@"
}

# What the clients are compared with, for the role that PGUSER names
expect()
{
	local view

	ask -f "$DRIVERS/listing.sql" >"$PGUSER.listed"
	sed "s/$tab/name$tab/; s/$tab[^$tab]*\$//" "$PGUSER.listed" >names; cat names >>"$PGUSER.listed"
	ask <<-END >"$PGUSER.called"
		SELECT 'called', 'user', string_agg(item_id::text, ',' ORDER BY rank) FROM recommend(42, 5, 'home');
		SELECT 'called', 'visitor', string_agg(item_id::text, ',' ORDER BY rank)
		FROM recommend(NULL::bigint, 5, 'home', context => '{"cart": [1001]}');
		SELECT 'called', 'cart', string_agg(item_id::text, ',' ORDER BY rank)
		FROM recommend_for_items('{1001,1042}'::bigint[], 5, 'home');
		SELECT 'called', 'shown', string_agg(item_id::text, ',' ORDER BY rank) FROM recommend(42, 5, 'home');
		SELECT 'called', 'clicked', 'true';
	END
	ask >"$PGUSER.views" <<-END
		SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind IN ('v', 'm') AND n.nspname IN ('recsys', 'shop') AND has_table_privilege(c.oid, 'SELECT')
		ORDER BY 1
	END
	for view in $(cat "$PGUSER.views"); do
		# the names of the columns of a row are its values that are not NULL
		ask -c "SELECT 'read', '$view', count(*), coalesce(sum((SELECT count(*) FROM json_each(to_json(v)) WHERE json_typeof(value) <> 'null')), 0)
			FROM $view v"
	done >"$PGUSER.read"
	ask -c "SELECT 'typed', 9007199254740993, '\"é'' <€> 😀', 0.1, 25" >"$PGUSER.typed"
}

as_role()
{
	case "$1" in
		web) export PGUSER=web PGPASSWORD="web's secret" ;;
		analyst) export PGUSER=analyst PGPASSWORD="analyst's secret" ;;
		*) export PGUSER=postgres PGPASSWORD="it's a secret" ;;
	esac
}

# fill TEMPLATE EXAMPLE: the example with the indentation of the line that stands for it
fill()
{
	awk -v example="$2" '
		/^[ \t]*(#|\/\/) EXAMPLE$/ {
			indent = $0
			sub(/[^ \t].*/, "", indent)
			while ((getline line <example) > 0)
				print (line == "" ? "" : indent line)
			next
		}
		{ print }' "$1"
}

# same KIND…: did the client print the lines of these kinds that were expected, and all of them?
# What was expected is in the first argument.
same()
{
	local expected=$1 kinds=$2

	grep -E "^($kinds)$tab" "$expected" | sort -u >wanted
	grep -E "^($kinds)$tab" output | sort -u >got
	[ -s wanted ] && cmp -s wanted got && return 0
	diff wanted got | head -n 8 | cut -c 1-200 | sed 's/^/# /'
	return 1
}

# client NAME HEADING LANGUAGE TEMPLATE CMD…: runs it as both roles.  LISTED says which kinds of lines
# it lists; CMD gets the program.
client()
{
	local name=$1 heading=$2 language=$3 template=$4 program role status begin=$SECONDS
	export DRIVERS_ODBC_OPTIONS

	shift 4
	# no module is to be mistaken for the program
	program=client_${template%.in}
	blocks "$language" "$heading" >example
	if ! [ -s example ]; then
		check 1 "$name: doc/drivers.md has an example"
		return
	fi
	fill "$DRIVERS/clients/$template" example >"$program"
	for role in web analyst; do
		as_role "$role"
		cp "$role.views" views
		status=0
		timeout -k 5 120 "$@" "$program" >output 2>errors </dev/null || status=$?
		check "$status" "$name, $role: runs"
		if [ "$status" -ne 0 ]; then
			tail -n 8 errors | cut -c 1-300 | sed 's/^/# /'
			continue
		fi
		ran=$((ran + 1))
		grep -qx "connected$tab$role${tab}shop" output
		check $? "$name, $role: connects"
		same "$role.called" called
		check $? "$name, $role: the example of the manual"
		same "$role.listed" "$LISTED"
		check $? "$name, $role: lists what there is, with comments"
		same "$role.read" read
		check $? "$name, $role: reads $(wc -l <"$role.read") views, $(grep -vc "${tab}0$tab" "$role.read") of them with rows"
		same "$role.typed" typed
		check $? "$name, $role: every type"
	done
	as_role postgres
	echo "# $name: $((SECONDS - begin)) s"
}

# usable NAME TOOLCHAIN: is its program there, and may this user run it?  Skips what is named otherwise.
usable()
{
	local program=DRIVERS_$2 reason=DRIVERS_WHY_$2

	if [ -z "${!program}" ]; then
		skip "$1: ${!reason:-what it needs is not here}"
	elif ! [ -r "${!program}" ]; then
		skip "$1: user $USER may not use ${!program}"
	else
		return 0
	fi
	return 1
}

python_client()
{
	usable "$1" PYTHON || return 0
	client "$1" "$2" python "$3" "$DRIVERS_PYTHON"
}

odbc_client()
{
	usable "$1" PYTHON && usable "$1" ODBC || return 0
	DRIVERS_ODBC_OPTIONS=$2 client "$1" ODBC python odbc.py.in "$DRIVERS_PYTHON"
}

# Nothing about its performance is to be left in /tmp.
java_client()
{
	usable JDBC JAVA || return 0
	client JDBC JDBC java Jdbc.java.in "$DRIVERS_JAVA" -XX:-UsePerfData -XX:TieredStopAtLevel=1 -cp /usr/share/java/postgresql.jar
}

# ES modules are looked for beside the program
node_client()
{
	usable node-postgres NODE || return 0
	ln -s "$DRIVERS_NODE_FOLDER/node_modules" node_modules
	client node-postgres node-postgres javascript node.mjs.in "$DRIVERS_NODE"
}

run_go()
{
	cp "$1" go.source/main.go
	(cd go.source && GOFLAGS= GOTOOLCHAIN=local GOPROXY=off GOCACHE=$PWD/../go.cache GOPATH=$PWD/../go.none CGO_ENABLED=0 \
		"$DRIVERS_GO" build -mod=vendor -trimpath -o ../client.go.out . ) && ./client.go.out
}

go_client()
{
	usable pgx GO || return 0
	mkdir go.source
	cp "$DRIVERS_GO_FOLDER/go.mod" "$DRIVERS_GO_FOLDER/go.sum" go.source
	ln -s "$DRIVERS_GO_FOLDER/vendor" go.source/vendor
	# objects that are there already; go writes into this copy
	cp -r "$DRIVERS_GO_FOLDER/cache" go.cache
	export -f run_go
	client pgx pgx go pgx.go.in bash -c 'run_go "$1"' -
}

# One process on a port of this machine, as role web
start_collector()
{
	(as_role web && exec "$DRIVERS_PYTHON" collector.py "$1") >collector.log 2>&1 </dev/null &
	COLLECTOR=$!
}

collector()
{
	local port=$((20000 + (RANDOM * 7 + $$) % 20000)) round sender left session name="a collector over HTTP"

	usable "$name" PYTHON && usable "$name" NODE || return 0
	blocks python "In the application" "$RECSYS_TREE/doc/ingest.md" >example
	fill "$DRIVERS/clients/collector.py.in" example >collector.py
	blocks javascript "In the browser" "$RECSYS_TREE/doc/ingest.md" >example
	fill "$DRIVERS/clients/sender.mjs.in" example >sender.mjs
	{
		blocks sql "" "$RECSYS_TREE/doc/ingest.md" | sed '/^CREATE INDEX page_views_recsys/q'
		echo "GRANT INSERT, SELECT (event_id) ON page_views TO web;"
	} | psql -X -q -v ON_ERROR_STOP=1
	start_collector "$port"
	timeout -k 5 120 "$DRIVERS_NODE" sender.mjs "http://127.0.0.1:$port/" >sent 2>errors </dev/null &
	sender=$!
	for round in 1 2 3; do
		sleep 0.4
		ask -c "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'web'" >/dev/null
		sleep 0.2
		kill -KILL "$COLLECTOR"
		wait "$COLLECTOR" 2>/dev/null
		start_collector "$port"
	done
	wait "$sender"
	check $? "$name: the sender ends"
	read -r left session <sent
	[ "$left" = 0 ] || tail -q -n 8 errors collector.log | sed 's/^/# /'
	check "$([ "$left" = 0 ]; echo $?)" "$name: every event is answered"
	check "$([ "$(ask -c "SELECT count(*), count(DISTINCT event_id), count(user_id), sum(product_id) FROM page_views WHERE session_id = '$session'")" = \
		"999${tab}999${tab}0${tab}1098400" ]; echo $?)" "$name: each is there once, but the one that is none"
	kill "$COLLECTOR"
	wait "$COLLECTOR" 2>/dev/null
	COLLECTOR=
}

finish()
{
	[ -z "$COLLECTOR" ] || kill "$COLLECTOR" 2>/dev/null
	[ ! -f data/postmaster.pid ] || pg_ctl -D data -m immediate stop >/dev/null 2>&1
	# what psqlODBC writes there as it disconnects, unasked
	find /tmp -maxdepth 1 -type f -name 'psqlodbc_*.log' -user "$(id -un)" -newer initdb.log -delete 2>/dev/null
}

trap finish EXIT
if ! start_server || ! load; then
	tail -n 20 initdb.log start.log server.log load.log >&2
	check 1 "a server with the shop of the manual"
	echo "1..$tests"
	exit 1
fi
for role in web analyst; do
	as_role "$role"
	expect
done
as_role postgres
check "$([ "$(grep -vc "${tab}0$tab" analyst.read)" -ge 12 ]; echo $?)" "something is in the views to be read"

everything='schema|view|column|function'
LISTED=$everything python_client "psycopg 3" "psycopg 3" psycopg.py.in
LISTED=$everything python_client "psycopg 2" "psycopg 2" psycopg2.py.in
LISTED=$everything python_client asyncpg asyncpg asyncpg.py.in
LISTED="$everything|schemaname|viewname" python_client SQLAlchemy SQLAlchemy sqlalchemy.py.in
LISTED=$everything python_client Django Django django.py.in
LISTED="$everything|viewname|columnname|functionname" odbc_client psqlODBC
# as tools for reports have it: with a cursor, a few rows at a time, and statements in one piece
LISTED="$everything|viewname|columnname|functionname" odbc_client "psqlODBC with cursors" "UseDeclareFetch=1;Fetch=2;UseServerSidePrepare=0;BoolsAsChar=0"
LISTED='schemaname|view|column|function' java_client
LISTED=$everything node_client
LISTED=$everything go_client
collector
skip "Npgsql: no .NET comes with Debian's packages"

# what they have shown and clicked, beside what setup.sql has
logged=$(ask -c "SELECT count(*) FROM recsys.request_log r WHERE recommender = 'home' AND user_id = '42' AND experiment IS NULL
	AND EXISTS (SELECT FROM recsys.event_log e WHERE e.request_id = r.request_id AND e.kind = 'click')")
check "$([ "$logged" -gt "$ran" ]; echo $?)" "the log has the lists of $ran runs, and their clicks"
echo "1..$tests"
