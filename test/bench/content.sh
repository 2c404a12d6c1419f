#!/bin/bash
# Items by their content: how good the neighbors are, what new items get of it, and what it
# costs.  Prints tables, and a Markdown table of all that has a number beside it.
#
#     test/bench/content.sh [option=value…] [part…]
#
# Parts; without any, all that there is data for, but "large", which takes minutes:
#     fashion    Fashion-MNIST (Debian: dataset-fashion-mnist), as PNG files: time to describe and
#                index them, precision@10 by class beside that of raw pixels
#     photos     photos of clothes of ten classes: the same
#     beauty     Amazon Beauty, Olist, the Complete Journey: a tenth of the items is new; recall@20
#     olist      of these against popularity and attributes alone, NDCG@10 of the others with
#     journey    content and without
#     market     the same for a generated marketplace
#     scale      100,000 generated items: build, size, similar_items beside the first access
#                method's, search by content, items that are not merged yet
#     large      more of them: time and recall of a build that does not compare all with all
#     fresh      products come in: how long until they are in similar_items and recommend
# Options, with their defaults:
#     items=100000  of the part scale     seconds=5   a pgbench run     rounds=1     whose median counts
#     large=300000,1000000   items of the part large     asked=100   of which neighbors are checked
#     rate=1000     products a second of the part fresh, for fresh=30 seconds
#     sample=2500   users that the quality of lists is measured for
#     model="similarity = cosine"   options of the index of interactions
#     limit=3600    seconds after which everything is given up
#
# The data are not part of the project: they are looked for in $RECSYS_DATA, else in
# ../shared/data beside this repository, and in /usr/share/datasets.  The SQL and the
# generator are in content/.  The server is private and gone afterwards, so is the data.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/bench/measure.sh"
. "$root/test/bench/content/quality.sh"
. "$root/test/bench/content/cost.sh"

CONTENT_ITEMS=100000
CONTENT_LARGE=300000,1000000
CONTENT_ASKED=100
CONTENT_SECONDS=5
CONTENT_ROUNDS=1
CONTENT_RATE=1000
CONTENT_FRESH=30
CONTENT_SAMPLE=2500
CONTENT_MODEL="similarity = cosine"
BENCH_LIMIT=3600
parts=
for argument in "$@"; do
	case "$argument" in
		items=[1-9]* | large=[1-9]* | asked=[1-9]* | seconds=[1-9]* | rounds=[1-9]* | rate=[1-9]* | fresh=[1-9]* | sample=[1-9]* | model=*)
			name=CONTENT_$(printf '%s' "${argument%%=*}" | tr a-z A-Z)
			printf -v "$name" '%s' "${argument#*=}"
			;;
		limit=[1-9]*) BENCH_LIMIT=${argument#*=} ;;
		fashion | photos | beauty | olist | journey | market | scale | large | fresh) parts="$parts $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:=fashion photos beauty olist journey market scale fresh}"
data=${RECSYS_DATA:-$root/../shared/data}
fashion=/usr/share/datasets/fashion-mnist
BENCH_USERS=1
BENCH_ITEMS=$CONTENT_ITEMS

# skipped PART FILE…: says so if one of them is not there
skipped()
{
	local part=$1 file

	shift
	for file in "$@"; do
		if [ ! -r "$file" ]; then
			echo "$part: skipped: there is no $file"
			return 0
		fi
	done
	return 1
}

# program NAME [LIBRARIES…]: builds content/NAME.c
program()
{
	local name=$1

	shift
	[ -x "$SANDBOX/$name" ] || sandbox_run 60 gcc -std=gnu11 -O3 -march=native -Wall -o "$SANDBOX/$name" \
		"$SERVER_TREE/test/bench/content/$name.c" "$@" 2>"$SANDBOX/error" || stop "$name.c does not build"
}

# made FILE PROGRAM ARGUMENT…: its output
made()
{
	local file=$1

	shift
	sandbox_run "$BENCH_LIMIT" bash -c 'out=$1; shift; exec "$@" >"$out"' - "$SANDBOX/$file" "$@" 2>"$SANDBOX/error" ||
		stop "$file could not be made"
}

provision_server
sandbox_begin content "$BENCH_LIMIT"
measure_begin
server_copy "$root" || exit 1
server_build || { grep -v '^gcc ' "$SERVER_LOG" | tail -n 40 >&2; exit 1; }
# the later setting of a name wins: fsync is on
server_start "fsync = on" "shared_buffers = 1GB" "maintenance_work_mem = 1GB" "work_mem = 64MB" "max_wal_size = 32GB" \
	"checkpoint_timeout = 1d" "autovacuum = off" "jit = off" || stop "the private server does not start"
SANDBOX_ENV+=(PGOPTIONS='-c client_min_messages=warning')
database "CREATE EXTENSION recsys"
for part in $parts; do
	began=$SECONDS
	run_$part
	note "    $part took $((SECONDS - began)) s"
done

cat <<END

recsys on $("$PG_CONFIG" --version), $(nproc) CPUs

| measure | recsys | compared with | ratio |
|---|---|---|---|
$(cat "$MEASURE_TABLE")
END
server_stop
