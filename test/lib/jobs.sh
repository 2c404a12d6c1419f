# Parts of a test run beside each other.  Sourced, after sandbox.sh and results.sh.
#
#     jobs_init MEGABYTES        what a job needs at most; sets JOBS where it is not set
#     jobs_start NAME CMD…       runs CMD, a function, as soon as fewer than $JOBS run
#     jobs_wait                  until all have ended
#
# A job is a subshell.  What it prints is kept and shown whole when it has ended, and
# what it counted (results.sh) is added to the script's counts then.

declare -A JOBS_RUNNING=()	# name to process

# One job a processor, if memory lasts.
jobs_init()
{
	local megabytes

	if [ -z "$JOBS" ]; then
		megabytes=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo 2>/dev/null)
		JOBS=$((${megabytes:-$1} / $1))
		[ "$JOBS" -le "$(nproc)" ] || JOBS=$(nproc)
	fi
	[ "$JOBS" -gt 0 ] 2>/dev/null || JOBS=1
	mkdir "$SANDBOX/jobs"
}

jobs_start()
{
	local name=$1

	shift
	jobs_reap "$JOBS"
	(
		trap 'kill -TERM $SANDBOX_STEP 2>/dev/null; exit 143' TERM
		SANDBOX_BESIDE=
		RESULTS_PASSED=0
		RESULTS_FAILED=0
		"$@"
		echo "$RESULTS_PASSED $RESULTS_FAILED" >"$SANDBOX/jobs/$name.count"
	) >"$SANDBOX/jobs/$name.out" 2>&1 &
	JOBS_RUNNING[$name]=$!
	SANDBOX_BESIDE="${JOBS_RUNNING[*]}"
}

# jobs_reap NUMBER: shows jobs that have ended, until fewer than that run
jobs_reap()
{
	local name passed failed

	while :; do
		for name in "${!JOBS_RUNNING[@]}"; do
			! kill -0 "${JOBS_RUNNING[$name]}" 2>/dev/null || continue
			unset "JOBS_RUNNING[$name]"
			SANDBOX_BESIDE="${JOBS_RUNNING[*]}"
			cat "$SANDBOX/jobs/$name.out"
			if [ -s "$SANDBOX/jobs/$name.count" ]; then
				read -r passed failed <"$SANDBOX/jobs/$name.count"
				results_pass "$passed"
				results_fail "$failed"
			else
				results_fail 1 "$name: ended without a result"
			fi
		done
		[ "${#JOBS_RUNNING[@]}" -ge "$1" ] || return 0
		sleep 0.3
	done
}

jobs_wait()
{
	jobs_reap 1
}
