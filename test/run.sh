#!/bin/bash
# make test: builds recsys and runs its tests against a private server.
#
#     test/run.sh [--sanitize | --valgrind] [--accept] [PART …]
#
# Without a part, all run but the last one:
#     arrows     includes point downward only (test/arrows.pl)
#     core       the C driver of src/core, no server (test/core)
#     regress    SQL tests (test/sql, expected)
#     isolation  concurrent sessions (test/specs, expected/isolation)
#     tap        crashes, standbys, damage (test/t)
#     report     the page of make report in a browser (test/report)
#     drivers    clients in many languages (test/drivers)
#     stream     recsys-stream with a Kafka broker, and with librdkafka's own (test/stream)
#     superset   the Superset dashboard in a browser (test/superset)
# The last four need programs that are no part of PostgreSQL, which they keep in private
# folders (lib/private.sh).  Where those cannot be had they are skipped, and say why.
# Stream, which takes longest, starts before tap, so that it does not end alone.
# They run beside each other, $JOBS at a time (default: one a processor, if memory
# lasts), each TAP file by itself; what each prints is shown whole when it has ended.
# CC is the compiler, if not the server's own.
# TESTS="name …" runs only those SQL tests, specs and TAP files ("001" and
# "001_crash_insert" both name a TAP file).
# --accept copies the results of regress and isolation to expected/.
# --sanitize builds the module and the C driver with the address and the undefined-
# behavior sanitizer and runs in a server that has the former too, built once from
# Debian's source package (lib/sanitized.sh).  Where there is none to be had, only
# the C driver gets the address sanitizer.
# --valgrind runs the C driver under memcheck.
#
# Missing packages are installed (lib/provision.sh).  The last line is
# "recsys: N passed, N failed": SQL tests, specs and single assertions of the C
# driver and the TAP tests.  The exit status is zero only if something passed
# and nothing failed, or if all that was to run is skipped.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/results.sh"
. "$root/test/lib/jobs.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/sanitized.sh"

RECSYS_SANITIZE=
valgrind=
accept=
parts=
for argument in "$@"; do
	case "$argument" in
		--sanitize) RECSYS_SANITIZE=1 ;;
		--valgrind) valgrind=yes ;;
		--accept) accept=yes ;;
		arrows | core | regress | isolation | tap | report | drivers | stream | superset) parts="$parts $argument" ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
: "${parts:=arrows core regress isolation stream tap report drivers}"

# seconds until a part, or a TAP file, is given up
limit=600
[ -z "$RECSYS_SANITIZE" ] || limit=1200

# selected NAME: does TESTS name it?
selected()
{
	local wanted

	[ -n "$TESTS" ] || return 0
	for wanted in $TESTS; do
		[ "$1" != "$wanted" ] && [ "${1%%_*}" != "$wanted" ] || return 0
	done
	return 1
}

# names DIRECTORY SUFFIX: base names of the selected files
names()
{
	local file

	for file in "$1"/*"$2"; do
		if [ -f "$file" ]; then
			file=${file##*/}
			! selected "${file%"$2"}" || printf '%s ' "${file%"$2"}"
		fi
	done
}

heading()
{
	printf '\n== %s\n' "$*"
}

# nothing NAME: a part without tests is a failure, unless TESTS chose so
nothing()
{
	[ -n "$TESTS" ] || results_fail 1 "$1: there is nothing to run"
}

run_arrows()
{
	local output=$SANDBOX/arrows.out status=0

	heading "arrows: what includes what"
	selected arrows || return 0
	sandbox_run 60 perl "$SERVER_TREE/test/arrows.pl" "$SERVER_TREE/src" >"$output" 2>&1 || status=$?
	results_tap "$output" "$status" "arrows" || grep -v '^ok' "$output"
}

run_core()
{
	local output=$SANDBOX/core.out status=0 target=check

	heading "core: algorithms"
	selected core || return 0
	[ -z "$RECSYS_SANITIZE" ] || target=sanitize
	[ -z "$valgrind" ] || target=valgrind
	sandbox_run 1200 make -s -j "$(nproc)" -C "$SERVER_TREE/test/core" ${CC:+CC="$CC"} "$target" >"$output" 2>&1 || status=$?
	if results_tap "$output" "$status" "core"; then
		grep -c '^ok' "$output" | sed 's/$/ assertions hold/'
	else
		grep -v '^ok' "$output" | tail -n 60
	fi
}

# run_pg_regress PART PROGRAM NAMES INPUT-SUBDIRECTORY EXPECTED-DIRECTORY
run_pg_regress()
{
	local part=$1 program=$2 tests=$3 kind=$4 expected=$5 name
	local input=$SANDBOX/$part.in output=$SANDBOX/$part

	if [ -z "$tests" ]; then
		nothing "$part"
		return
	fi
	mkdir "$input" "$output"
	mkdir -p "$SERVER_TREE/expected/isolation"
	ln -s "$SERVER_TREE/test/$kind" "$input/$kind"
	ln -s "$expected" "$input/expected"
	sandbox_own "$output"
	sandbox_run "$limit" "$PG_TEST/$program" --bindir="$SERVER_BIN" --inputdir="$input" \
		--outputdir="$output" --host="$SERVER_SOCKET" --user=postgres \
		--dbname="recsys_$part" --load-extension=recsys $tests >"$output.out" 2>&1
	grep -E '^(test |ok |not ok )' "$output.out"
	results_regress "$tests" "$output.out"
	if [ -s "$output/regression.diffs" ]; then
		head -n 300 "$output/regression.diffs"
	elif ! grep -Eq '^(test |ok |not ok )' "$output.out"; then
		tail -n 30 "$output.out"
	fi
	if [ -n "$accept" ]; then
		for name in $tests; do
			cp "$output/results/$name.out" "$root/${expected#"$SERVER_TREE/"}/$name.out"
		done
		echo "results copied to ${expected#"$SERVER_TREE/"}: check them"
	fi
}

run_regress()
{
	heading "regress: SQL"
	run_pg_regress regress regress/pg_regress "$(names "$SERVER_TREE/test/sql" .sql)" \
		sql "$SERVER_TREE/expected"
}

run_isolation()
{
	heading "isolation: concurrent sessions"
	run_pg_regress isolation isolation/pg_isolation_regress "$(names "$SERVER_TREE/test/specs" .spec)" \
		specs "$SERVER_TREE/expected/isolation"
}

# The tests stop the code at fault points, so they get a module with such points;
# and for pg_upgrade one of every other major version that is installed.
tap_servers()
{
	local config

	TAP_OTHERS=
	server_reuse root faults
	if ! server_install faults "$PG_CONFIG" RECSYS_SANITIZE="$RECSYS_SANITIZE" RECSYS_FAULTS=1; then
		grep -v '^gcc ' "$SERVER_LOG" | tail -n 60
		results_fail 1 "tap: the module with fault points does not build"
		return 1
	fi
	TAP_BIN=$SERVER_INSTALLED
	TAP_TEMPLATE=$SANDBOX/template
	sandbox_run 120 initdb -D "$TAP_TEMPLATE" -A trust -N --data-checksums --encoding=UTF8 >>"$SERVER_LOG" 2>&1 ||
		TAP_TEMPLATE=
	for config in /usr/lib/postgresql/*/bin/pg_config; do
		[ "$config" != "$(readlink -f "$PG_CONFIG")" ] && [ -x "${config%/*}/postgres" ] &&
			[ -f "$("$config" --pgxs)" ] && [ -z "$RECSYS_SANITIZE" ] || continue
		! server_install "other$(echo "$config" | tr -cd 0-9)" "$config" || TAP_OTHERS="$TAP_OTHERS $SERVER_INSTALLED"
	done
}

# What takes longest does not start last.
longest_first()
{
	local name

	for name in $TAP_LONGEST; do
		case " $* " in *" $name "*) echo "$name" ;; esac
	done
	for name in "$@"; do
		case " $TAP_LONGEST " in *" $name "*) ;; *) echo "$name" ;; esac
	done
}

TAP_LONGEST="015_timeout 016_corruption 003_standby 018_parallel 006_worker 001_crash_insert 002_crash_build"

run_tap()
{
	local name tests

	tests=$(names "$SERVER_TREE/test/t" .pl)
	[ -n "$tests" ] || nothing tap
	[ -z "$tests" ] || tap_servers || return
	sandbox_small_disk 8 || echo "# no file system of limited size can be mounted: no tests of a full disk"
	# servers that run at the same time have different ports
	mkdir -p "$SANDBOX/tap" "$SANDBOX/ports"
	sandbox_own "$SANDBOX/tap" "$SANDBOX/ports"
	for name in $(longest_first $tests); do
		jobs_start "$name" tap_file "$name"
	done
}

tap_file()
{
	local name=$1 output=$SANDBOX/tap/$1 status=0 begin=$SECONDS log

	mkdir -p "$output/tmp_check/log"
	sandbox_own "$output"
	sandbox_run "$limit" env PERL5LIB="${PG_TEST_PERL:-$PG_TEST/perl}:$SERVER_TREE/test/perl" \
		PATH="$TAP_BIN:$SANDBOX_PATH" RECSYS_SMALL_DISK="$SANDBOX_SMALL_DISK" \
		RECSYS_OTHER_SERVERS="$TAP_OTHERS" RECSYS_LOAD="$SERVER_TREE/test/load" \
		RECSYS_INCLUDES="$("$PG_CONFIG" --includedir-server)" RECSYS_CITUS_ROWS="$RECSYS_CITUS_ROWS" \
		${TAP_TEMPLATE:+RECSYS_TEMPLATE="$TAP_TEMPLATE"} \
		PG_REGRESS="$PG_TEST/regress/pg_regress" PG_TEST_PORT_DIR="$SANDBOX/ports" TESTDIR="$output" \
		TESTDATADIR="$output/tmp_check" TESTLOGDIR="$output/tmp_check/log" \
		bash -c 'cd "$TESTDIR" && exec perl "$1"' - "$SERVER_TREE/test/t/$name.pl" \
		>"$output/stdout" 2>"$output/stderr" || status=$?
	# a file that was given up has left its servers
	[ "$status" -eq 0 ] || sandbox_kill "$output"
	if results_tap "$output/stdout" "$status" "$name"; then
		! grep -q '^ok' "$output/stdout" || printf 'tap %s: %s assertions hold (%s s)\n' "$name" "$(grep -c '^ok' "$output/stdout")" $((SECONDS - begin))
	else
		[ "$status" -ne 124 ] || echo "$name: took longer than $limit s"
		grep -v '^ok' "$output/stdout"
		# the framework's own messages go to its log, diagnostics to both
		tail -q -n 40 "$output/stderr" "$output"/tmp_check/log/regress_log_* | cut -c 1-500 |
			grep -vE '^(###|# Running:|waiting for|server st|# .*[Pp]ostmaster PID|\[[^]]*\]\([^)]*\) ok )'
		for log in "$output"/tmp_check/log/*.log; do
			grep -sHE '(ERROR|FATAL|PANIC|terminated by signal|TRAP|AddressSanitizer|runtime error):?' "$log" | tail -n 20
		done
	fi
	rm -rf "$output"
}

# Parts that are a directory of test: DIRECTORY/provision.sh, sourced with the caller's rights and
# environment, defines provision_PART, which installs what is needed and sets EXTRA_ENV to
# variables for DIRECTORY/PART.sh; that prints TAP, with the server at PGHOST.  One that returns false
# is skipped, which is said at the end, and no failure.
skipped=
provision_extra()
{
	local part=$1

	EXTRA_ENV=()
	PRIVATE_WHY=
	. "$root/test/$part/provision.sh"
	if ! "provision_$part"; then
		skipped="$skipped# $part: skipped: ${PRIVATE_WHY:-what it needs cannot be had}
"
		return 1
	fi
	printf '%s\0' "${EXTRA_ENV[@]}" >"$SANDBOX/$part.env"
}

run_extra()
{
	local part=$1 output=$SANDBOX/$1 status=0 begin=$SECONDS environment=() limit=$limit

	# what it waits for, brokers that are missed and come back, takes its time on the fastest machine
	[ "$part" != stream ] || limit=$((limit + 300))
	heading "$part"
	mapfile -d '' environment <"$output.env"
	if [ "$part" = stream ] && { [ -n "$SANDBOX_SMALL_DISK" ] || sandbox_small_disk 8; }; then
		environment+=("RECSYS_SMALL_DISK=$SANDBOX_SMALL_DISK")
	fi
	mkdir -p "$output"
	sandbox_own "$output"
	sandbox_run "$limit" env "${environment[@]}" PATH="$SERVER_BIN:$SANDBOX_PATH" RECSYS_TREE="$SERVER_TREE" \
		bash -c 'cd "$1" && exec bash "$2"' - "$output" "$SERVER_TREE/test/$part/$part.sh" \
		>"$output/stdout" 2>"$output/stderr" || status=$?
	[ "$status" -eq 0 ] || sandbox_kill "$output"
	if results_tap "$output/stdout" "$status" "$part"; then
		grep -E '^(# |ok .*# *[Ss][Kk][Ii][Pp])' "$output/stdout"
		printf '%s: %s assertions hold (%s s)\n' "$part" "$(grep -c '^ok' "$output/stdout")" $((SECONDS - begin))
	else
		[ "$status" -ne 124 ] || echo "$part: took longer than $limit s"
		grep -v '^ok' "$output/stdout"
		tail -n 40 "$output/stderr" | cut -c 1-500
	fi
}

provision_server tests
if [ -n "$valgrind" ] && ! command -v valgrind >/dev/null; then
	provision_apt_begin valgrind
	provision_apt_install valgrind
fi
if [ -n "$RECSYS_SANITIZE" ]; then
	sanitized_server || echo "recsys: the server is without the address sanitizer"
fi
sandbox_begin test 2700
wanted=$parts
parts=
for part in $wanted; do
	case "$part" in
		report | drivers | stream | superset) selected "$part" && provision_extra "$part" || continue ;;
	esac
	parts="$parts $part"
done
if [ -z "$parts" ] && [ -n "$skipped" ]; then
	printf '%s' "$skipped"
	exit 0
fi
[ -z "$SANITIZED_SERVER" ] || sanitized_sandbox
server_copy "$root" || exit 1
echo "recsys: testing with $("$PG_CONFIG" --version), as user $SANDBOX_USER"

jobs_init $((RECSYS_SANITIZE ? 2000 : 1000))

# The server and the module that the parts need, before the first of them starts
built=
case "$parts" in
	*regress* | *isolation* | *tap* | *report* | *drivers* | *stream* | *superset*)
		heading "build"
		# an automatic vacuum would merge in the middle of a test; without sequential
		# scans plans seem so dear that each would be compiled
		if server_build && server_start "autovacuum = off" "jit = off"; then
			built=yes
			echo "warnings are errors: none; the server is up"
		else
			built=no
			grep -v '^gcc ' "$SERVER_LOG" | tail -n 60
			results_fail 1 "build"
		fi
		;;
esac
for part in $parts; do
	if [ "$part" != core ] && [ "$built" = no ]; then
		results_fail 1 "$part: not run, for there is no server"
	elif [ "$part" = tap ]; then
		run_tap
	elif [ -d "$root/test/$part" ] && [ -f "$root/test/$part/provision.sh" ]; then
		jobs_start "$part" run_extra "$part"
	else
		jobs_start "$part" run_"$part"
	fi
done
jobs_wait

if [ "$built" = yes ]; then
	crashes=$(grep -hE 'terminated by signal|PANIC:|TRAP:|AddressSanitizer|runtime error:' "$SANDBOX/server.log")
	if [ -n "$crashes" ]; then
		heading "the server crashed"
		printf '%s\n' "$crashes" | head -n 20
		grep -EA 40 'AddressSanitizer|runtime error:' "$SANDBOX/server.log" | head -n 120
		results_fail 1 "the server survived all tests"
	fi
	server_stop
fi

heading "result"
printf '%s' "$skipped"
results_report
