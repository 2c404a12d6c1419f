#!/bin/bash
# What Thompson sampling is worth, from the log of a uniformly random policy: the Open Bandit
# Dataset, beside a public implementation on the same rows.  Prints a Markdown table.
#
#     test/bench/off_policy.sh [option=value…]
#
# Options, with their defaults:
#     campaigns="men women"
#     resamples=10000   of a bootstrap       seeds=5   bootstraps, whose intervals are averaged
#     python=          a Python with obp; otherwise a private one is made and obp is installed there,
#                      without what it imports but does not use here (torch, plotting)
#     limit=7200       seconds after which all is given up
#
# The data are not part of the project: they are read from $RECSYS_DATA/obd, or
# ../shared/data/obd beside it.  The truth is the mean of Thompson sampling's own log, which is itself
# known only as far as its 10,000 impressions tell: its 95 % interval is beside it.  How the
# probabilities of Thompson sampling are known: off_policy/reference.py.  Shares of its log are
# taken as they are, so intervals do not know how sure these are.  Ends of a bootstrap's interval
# are drawn: beside the ratio of widths is how far it may be from the true one, at 95 %.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"

OFF_POLICY_CAMPAIGNS="men women"
OFF_POLICY_RESAMPLES=10000
OFF_POLICY_SEEDS=5
OFF_POLICY_PYTHON=
BENCH_LIMIT=7200
for argument in "$@"; do
	case "$argument" in
		campaigns=?* | resamples=[1-9]* | seeds=[1-9]* | python=?*)
			name=OFF_POLICY_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
data=${RECSYS_DATA:-$root/../shared/data}/obd
[ -r "$data/random-men.csv.gz" ] || { echo "recsys: no data in $data; set RECSYS_DATA" >&2; exit 1; }

# A Python that has obp, if it can be had; any with numpy will do otherwise.
find_python()
{
	[ -z "$OFF_POLICY_PYTHON" ] || return 0
	OFF_POLICY_PYTHON=$SANDBOX/python/bin/python
	note "installing obp into a private Python"
	python3 -m venv "$SANDBOX/python" >/dev/null 2>"$SANDBOX/error" &&
		"$OFF_POLICY_PYTHON" -m pip install -q numpy pandas scipy scikit-learn pyyaml tqdm mypy_extensions >/dev/null 2>"$SANDBOX/error" ||
		stop "there is no Python with numpy"
	"$OFF_POLICY_PYTHON" -m pip install -q --no-deps obp >/dev/null 2>"$SANDBOX/error" || note "obp could not be installed"
}

# copy_in TABLE FILE
copy_in()
{
	sandbox_run "$BENCH_LIMIT" bash -c 'psql -X -q -v ON_ERROR_STOP=1 -c "COPY $1 FROM STDIN (FORMAT csv)" <"$2"' - \
		"$1" "$SANDBOX/out/$2" 2>"$SANDBOX/error" || stop "$2 could not be loaded"
}

# load_campaign NAME: the rows, and what the public implementation says of them
load_campaign()
{
	note "    $1: the public implementation"
	"$OFF_POLICY_PYTHON" "$root/test/bench/off_policy/reference.py" "$data" "$1" "$SANDBOX/out" "$OFF_POLICY_RESAMPLES" \
		"$OFF_POLICY_SEEDS" 2>"$SANDBOX/error" || stop "the public implementation failed"
	chmod a+r "$SANDBOX/out"/*.csv
	database "ALTER TABLE impressions ALTER campaign SET DEFAULT '$1'"
	database "ALTER TABLE theirs ALTER campaign SET DEFAULT '$1'"
	copy_in "impressions (way, item, position, click, propensity, target)" "rows-$1.csv"
	copy_in "theirs (made_by, way, position, estimator, own, own_rows, value, low, high)" "obp-$1.csv"
}

provision_server
sandbox_begin off_policy "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
server_start "autovacuum = off" "jit = off" || stop "the private server does not start"
find_python
mkdir "$SANDBOX/out"
database "CREATE EXTENSION recsys"
database "CREATE FUNCTION n(v float8) RETURNS text LANGUAGE sql RETURN round(v::numeric, 6)::text"
database "CREATE FUNCTION y(v float8, low float8, high float8) RETURNS text LANGUAGE sql RETURN CASE WHEN v BETWEEN low AND high THEN 'yes' ELSE 'no' END"
database "CREATE TABLE impressions (campaign text, way text, item integer, position integer, click integer, propensity float8, target float8)"
database "CREATE TABLE theirs (campaign text, made_by text, way text, position integer, estimator text, own float8, own_rows integer, value float8, low float8, high float8)"
for campaign in $OFF_POLICY_CAMPAIGNS; do
	load_campaign "$campaign"
done
note "    recsys"
database "CREATE TABLE ours AS
	SELECT campaign, way, e.position, e.estimator, avg(e.value) AS value, avg(e.ci_low) AS low, avg(e.ci_high) AS high, min(e.effective_rows) AS effective_rows, stddev(e.ci_high - e.ci_low) / sqrt(count(*)) AS noise, min(e.status) AS status
	FROM (SELECT DISTINCT campaign, way FROM impressions) i, generate_series(1, $OFF_POLICY_SEEDS) seed,
		LATERAL recsys.off_policy_estimate(
			format('SELECT click AS reward, propensity, target AS target_probability, item, position FROM impressions WHERE campaign = %L AND way = %L', campaign, way),
			'{ips,snips,dr}', resamples => $OFF_POLICY_RESAMPLES, seed => seed, by_position => true) e
	GROUP BY 1, 2, 3, 4"
cat <<END

recsys on $("$PG_CONFIG" --version), $OFF_POLICY_SEEDS bootstraps of $OFF_POLICY_RESAMPLES resamples each, compared with $(database "SELECT string_agg(DISTINCT made_by, ', ') FROM theirs")

| campaign | probabilities | position | estimator | effective rows | its own log, 95 % | recsys | covers | theirs | covers | width, recsys / theirs |
|---|---|---|---|---|---|---|---|---|---|---|
$(database "SELECT format('| %s | %s | %s | %s | %s | %s (%s, %s) | %s (%s, %s) | %s | %s (%s, %s) | %s | %s |', campaign, way, coalesce(o.position::text, 'all'), estimator,
		round(o.effective_rows), n(t.own), n(t.own - e), n(t.own + e), coalesce(n(o.value), o.status), n(o.low), n(o.high), y(t.own, o.low, o.high),
		n(t.value), n(t.low), n(t.high), y(t.own, t.low, t.high), format('%s ± %s', round(((o.high - o.low) / (t.high - t.low))::numeric, 3), round((1.96 * sqrt(2) * o.noise / (t.high - t.low))::numeric, 3)))
	FROM ours o JOIN theirs t USING (campaign, way, estimator), LATERAL (SELECT 1.96 * sqrt(t.own * (1 - t.own) / t.own_rows) AS e) x
	WHERE o.position IS NOT DISTINCT FROM t.position
	ORDER BY campaign, way, o.position NULLS FIRST, array_position('{ips,snips,dr}', estimator)")
END
server_stop
