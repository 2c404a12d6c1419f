# Measuring instruments of the benchmark.  Sourced, after test/lib.
#
#     database SQL                    runs SQL, prints the result unaligned
#     timed SQL                       sets TIMED_MS, milliseconds of the last statement
#     watched SQL                     timed, and sets WATCHED_KB, the backend's peak of private memory
#     load SCRIPT CLIENTS SECONDS [psql settings…]
#                                     pgbench; sets LOAD_TPS, LOAD_P50, LOAD_P95, LOAD_P99 (microseconds); LOAD_OPTIONS
#                                     are more options of it
#     pin / unpin                     later backends run on one CPU / anywhere
#     median NUMBER…, ratio A B, milliseconds MS, megabytes BYTES
#     row MEASURE OURS THEIRS RATIO   a line of the table

MEASURE_ALL_CPUS=
MEASURE_ONE_CPU=
MEASURE_PIN=()
LOAD_OPTIONS=()

# The CPUs this script may use, and the last of them to pin to.
measure_begin()
{
	MEASURE_ALL_CPUS=$(awk '$1 == "Cpus_allowed_list:" { print $2 }' /proc/self/status)
	MEASURE_ONE_CPU=${MEASURE_ALL_CPUS##*[,-]}
	MEASURE_THREADS=$(nproc)
	MEASURE_TABLE=$SANDBOX/table
	: >"$MEASURE_TABLE"
}

stop()
{
	echo "recsys: $*" >&2
	[ ! -s "$SANDBOX/error" ] || head -n 20 "$SANDBOX/error" >&2
	exit 1
}

note()
{
	echo "$*" >&2
}

database()
{
	sandbox_run "$BENCH_LIMIT" psql -X -q -A -t -v ON_ERROR_STOP=1 -c "$1" 2>"$SANDBOX/error" ||
		stop "failed: $1"
}

# Several statements separated by semicolons at line ends; the last one is timed.
timed()
{
	{
		echo '\timing on'
		printf '%s\n' "$1"
	} >"$SANDBOX/timed.sql"
	sandbox_run "$BENCH_LIMIT" psql -X -q -A -t -v ON_ERROR_STOP=1 -f "$SANDBOX/timed.sql" \
		>"$SANDBOX/timed.out" 2>"$SANDBOX/error" || stop "failed: $1"
	TIMED_MS=$(awk '/^Time: / { last = $2 } END { print last }' "$SANDBOX/timed.out")
}

# Private memory is RssAnon: shared buffers are not in it.  It is looked at
# every 20 ms until the backend is gone.
watched()
{
	local pid_file=$SANDBOX/backend watcher

	rm -f "$pid_file"
	perl -e '
		my ($file, $pid, $peak) = ($ARGV[0], 0, 0);
		for (my $try = 0; $try < 3000 && !$pid; $try++)
		{
			select(undef, undef, undef, 0.02);
			open(my $in, "<", $file) or next;
			my $line = <$in>;
			$pid = $1 if defined $line && $line =~ /^(\d+)\n/;
		}
		while ($pid && open(my $status, "<", "/proc/$pid/status"))
		{
			my ($kb) = map { /^RssAnon:\s+(\d+)/ ? $1 : () } <$status>;
			last if !defined $kb;
			$peak = $kb if $kb > $peak;
			select(undef, undef, undef, 0.02);
		}
		print "$peak\n";' "$pid_file" >"$SANDBOX/peak" &
	watcher=$!
	timed "\\o $pid_file
SELECT pg_backend_pid();
\\o
$1"
	wait "$watcher"
	WATCHED_KB=$(cat "$SANDBOX/peak")
}

# Backends inherit the CPUs of the postmaster.
pin()
{
	sandbox_run 10 taskset -p -c "$MEASURE_ONE_CPU" "$(head -n 1 "$SERVER_DATA/postmaster.pid")" >/dev/null ||
		stop "could not pin the server to CPU $MEASURE_ONE_CPU"
	MEASURE_PIN=(taskset -c "$MEASURE_ONE_CPU")
}

unpin()
{
	sandbox_run 10 taskset -p -c "$MEASURE_ALL_CPUS" "$(head -n 1 "$SERVER_DATA/postmaster.pid")" >/dev/null ||
		stop "could not unpin the server"
	MEASURE_PIN=()
}

# Prepared statements; the latencies come from pgbench's log of transactions, without
# the time by which a transaction of a given rate started late.
load()
{
	local script=$1 clients=$2 seconds=$3 directory=$SANDBOX/load settings=

	shift 3
	[ $# -eq 0 ] || settings=$(printf -- '-c %s ' "$@")
	rm -rf "$directory"
	mkdir "$directory"
	sandbox_own "$directory"
	sandbox_run "$BENCH_LIMIT" env PGOPTIONS="$settings" "${MEASURE_PIN[@]}" \
		bash -c 'cd "$1" && shift && exec pgbench "$@"' - "$directory" \
		-n -M prepared -c "$clients" -j "$((clients < MEASURE_THREADS ? clients : MEASURE_THREADS))" \
		-T "$seconds" -l -D users="$BENCH_USERS" -D items="$BENCH_ITEMS" "${LOAD_OPTIONS[@]}" -f "$script" \
		>"$directory/out" 2>"$SANDBOX/error" || stop "pgbench failed on $script"
	LOAD_TPS=$(awk '/^tps = / { print $3 }' "$directory/out")
	read -r LOAD_P50 LOAD_P95 LOAD_P99 <<-END
		$(cat "$directory"/pgbench_log.* | awk '{ print $3 - $7 }' | sort -n |
			awk '{ v[NR] = $1 } END { print v[rank(0.5)], v[rank(0.95)], v[rank(0.99)] }
				function rank(q) { r = int(q * NR + 0.999999); return r < 1 ? 1 : r }')
	END
	rm -rf "$directory"
}

median()
{
	printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 }
		END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

ratio()
{
	awk -v a="$1" -v b="$2" 'BEGIN { r = b > 0 ? a / b : 0; printf r < 10 ? "%.2f" : "%.0f", r }'
}

milliseconds()
{
	awk -v ms="$1" 'BEGIN { if (ms < 1000) printf "%.0f ms", ms; else printf "%.1f s", ms / 1000 }'
}

megabytes()
{
	awk -v bytes="$1" 'BEGIN { printf "%.0f MB", bytes / 1048576 }'
}

row()
{
	printf '| %s | %s | %s | %s |\n' "$@" | tee -a "$MEASURE_TABLE" >&2
}
