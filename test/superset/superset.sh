# The dashboard of sql/dashboards/superset in a Superset of its own, over the generated marketplace
# in a cluster of its own, opened in Chromium.  Run by run.sh superset, in an empty directory; prints
# TAP.  What it needs: provision.sh.  SUPERSET_SHOTS: a directory, which user postgres may write to,
# for pictures of the pages.

set -u
work=$PWD
here=$RECSYS_TREE/test/superset
market=$RECSYS_TREE/test/market
processes=""

finish()
{
	[ -z "$processes" ] || kill $processes 2>/dev/null
	[ -z "$processes" ] || wait $processes 2>/dev/null
	pg_ctl -D "$work/data" -m immediate stop >/dev/null 2>&1
}
trap finish EXIT

bail()
{
	echo "Bail out!  $1"
	[ -z "${2:-}" ] || tail -n 30 "$2" | sed 's/^/# /'
	exit 1
}

# a port that nobody has at the moment
free_port()
{
	"$SUPERSET_VENV/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# The shop's database, over TCP and with passwords; the socket's users are trusted
unset PGDATABASE
database_port=$(free_port)
export PGHOST=$work PGPORT=$database_port PGUSER=postgres
initdb -D data -U postgres --auth-local=trust --auth-host=scram-sha-256 -E UTF8 --locale=C --no-sync >initdb.log 2>&1 ||
	bail "initdb failed" initdb.log
cat >>data/postgresql.conf <<EOF
listen_addresses = '127.0.0.1'
port = $database_port
unix_socket_directories = '$work'
fsync = off
jit = off
recsys.blas_warning = off
EOF
pg_ctl -D data -l server.log -w -t 60 start >start.log 2>&1 || bail "the server does not start" server.log
createdb shop
psql -X -q -v ON_ERROR_STOP=1 -v customers="${SUPERSET_CUSTOMERS:-1200}" -d shop -o /dev/null -c "CREATE EXTENSION recsys" \
	-f "$market/generate.sql" -f "$market/declare.sql" -f "$market/live.sql" >market.log 2>&1 ||
	bail "the marketplace is not made" market.log
# as doc/dashboards.md says, and an awkward password
psql -X -q -v ON_ERROR_STOP=1 -d shop >>market.log 2>&1 <<'EOF' || bail "no role" market.log
CREATE ROLE monitor LOGIN PASSWORD 'p@ss:w/rd ?#';
GRANT pg_read_all_data TO monitor;
EOF

# Superset
export SUPERSET_HOME=$work SUPERSET_CONFIG_PATH=$here/superset_config.py FLASK_APP=superset SCARF_ANALYTICS=false
export PYTHONDONTWRITEBYTECODE=1 HOME=$work
superset=$SUPERSET_VENV/bin/superset
python=$SUPERSET_VENV/bin/python
"$python" "$superset" db upgrade >superset.log 2>&1 &&
	"$python" "$superset" fab create-admin --username admin --firstname Test --lastname Test --email admin@example.com \
		--password admin >>superset.log 2>&1 &&
	"$python" "$superset" init >>superset.log 2>&1 || bail "Superset cannot be set up" superset.log
# setting it up has taken its time: the port is chosen now
web_port=$(free_port)
"$python" "$SUPERSET_VENV/bin/gunicorn" -w 1 -k gthread --threads 8 --timeout 120 -b "127.0.0.1:$web_port" \
	'superset.app:create_app()' >web.log 2>&1 &
processes=$!
for try in $(seq 120); do
	"$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' "http://127.0.0.1:$web_port/health" 2>/dev/null && break
	kill -0 $processes 2>/dev/null || bail "Superset has ended" web.log
	sleep 0.5
done

export SUPERSET_URL=http://127.0.0.1:$web_port SUPERSET_USER=admin SUPERSET_PASSWORD=admin
export SHOP_ADDRESS="postgresql://monitor:p%40ss%3Aw%2Frd%20%3F%23@127.0.0.1:$database_port/shop"
export IMPORT=$RECSYS_TREE/sql/dashboards/superset/import.py
export SHOP_DSN="host=$work port=$database_port user=postgres dbname=shop"
"$python" "$here/check.py" || { tail -n 5 web.log | cut -c 1-300 | sed 's/^/# /'; exit 1; }
