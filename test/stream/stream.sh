# recsys-stream: its decoder by itself (unit), then the program against brokers, the files in t, TAP
# each, two at a time.
#
# The program is built here, with the fault points at which the tests kill it.  Called by
# test/run.sh and by soak.sh; the environment comes from provision.sh, and RECSYS_TREE is the copy of
# the sources.  STREAM_TESTS="name …" runs only those files of t.
#
# For t/*.pl and test/perl/{KafkaBroker,StreamTest}.pm it sets
#
#     RECSYS_STREAM_PROGRAM    the program
#     RECSYS_STREAM_TOOLS      folder of produce, readtopic, kafkaadmin, mockbroker
#     RECSYS_KAFKA, …          as provision.sh has them

here=$RECSYS_TREE/test/stream
base=$PWD

# building NAME COMMAND…: an assertion with a plan of its own, without which there is nothing more to run
building()
{
	local name=$1

	shift
	echo "1..1"
	if "$@" >"$base/$name.log" 2>&1; then
		echo "ok - $name: no warning"
	else
		echo "not ok - $name"
		grep -v '^gcc ' "$base/$name.log" | grep -E 'error|warning|undefined|missing|Install' | head -n 30 >&2
		grep -v '^gcc ' "$base/$name.log" | tail -n 5 >&2
		exit 1
	fi
}

mkdir -p build ports
building "the tests' programs build" make -s -C "$here" OUT="$base/tools"
building "recsys-stream builds" make -C "$base/build" -f "$RECSYS_TREE/Makefile" VPATH="$RECSYS_TREE" PG_CONFIG="$STREAM_PG_CONFIG" \
	RECSYS_WERROR=1 RECSYS_FAULTS=1 ${CC:+CC="$CC"} stream
if [ -z "$STREAM_TESTS" ]; then
	building "the decoder's tests build" make -C "$here/unit" OUT="$base/unit" PG_CONFIG="$STREAM_PG_CONFIG" ${CC:+CC="$CC"} "$base/unit/unit"
	"$base/unit/unit" 2>unit.err || { tail -n 20 unit.err >&2; echo "not ok - the decoder's tests: they end with an error"; }
fi

export RECSYS_STREAM_PROGRAM=$base/build/recsys-stream RECSYS_STREAM_TOOLS=$base/tools RECSYS_TREE
export PERL5LIB=$STREAM_PG_TEST_PERL:$RECSYS_TREE/test/perl
export PG_REGRESS=$STREAM_PG_TEST/regress/pg_regress PG_TEST_PORT_DIR=$base/ports
# its own servers, and not the one of run.sh
unset PGHOST PGPORT PGUSER PGDATABASE PGDATA

# run_file NAME: its TAP goes to NAME/stdout
run_file()
{
	local folder=$base/$1 status=0

	mkdir -p "$folder/tmp_check/log"
	(cd "$folder" && TESTDIR=$folder TESTDATADIR=$folder/tmp_check TESTLOGDIR=$folder/tmp_check/log \
		timeout -k 10 "${STREAM_SECONDS:-600}" perl "$here/t/$1.pl" >stdout 2>stderr) || status=$?
	echo "$status" >"$folder/status"
}

# show_file NAME: what it found, and, if it failed, what the logs say
show_file()
{
	local folder=$base/$1 status

	status=$(cat "$folder/status")
	# a file that is skipped is not all of them
	sed "s/^\(\(not \)\?ok [0-9]* \)- /\1- $1: /; s/^1\.\.0 # SKIP /# $1: skipped: /" "$folder/stdout"
	if [ "$status" -ne 0 ]; then
		# a plan that is not kept is a failure, whatever the other files say
		grep -q '^1\.\.' "$folder/stdout" || echo "not ok - $1: exit status $status"
		{
			echo "== $1: exit status $status"
			tail -q -n 25 "$folder/stderr"
			for log in "$folder"/tmp_check/log/*stream*.log; do
				[ -f "$log" ] && echo "-- ${log##*/}" && tail -n 12 "$log"
			done
			grep -hE '(ERROR|FATAL|PANIC|terminated by signal):?' "$folder"/tmp_check/log/*.log | tail -n 15
		} >&2 2>/dev/null
	fi
	# what it has left takes room that others need
	[ -n "$STREAM_KEEP" ] || rm -rf "$folder"
}

# what takes longest begins first
names=
for name in failures mock kill broker program connect "$here"/t/*.pl; do
	name=${name##*/}
	name=${name%.pl}
	case " $names " in *" $name "*) continue ;; esac
	case " ${STREAM_TESTS:-$name} " in
		*" $name "*) [ ! -f "$here/t/$name.pl" ] || names="$names $name" ;;
	esac
done

running=0
for name in $names; do
	if [ "$running" -ge 2 ]; then
		wait -n
		running=$((running - 1))
	fi
	run_file "$name" &
	running=$((running + 1))
done
wait
for name in $names; do
	show_file "$name"
done
