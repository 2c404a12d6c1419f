# Counting test results.  Sourced.
#
#     results_pass N, results_fail N [REASON]
#     results_regress NAMES OUTPUT     pg_regress or pg_isolation_regress
#     results_tap OUTPUT STATUS NAME   Test Anything Protocol
#     results_of NAME CMD…             a script with such a closing line of its own
#     results_report                   the closing line; false unless all passed
#
# A test that was to run and left no verdict has failed.

RESULTS_PASSED=0
RESULTS_FAILED=0
RESULTS_STEP=		# the script that results_of waits for

results_pass()
{
	RESULTS_PASSED=$((RESULTS_PASSED + $1))
}

results_fail()
{
	RESULTS_FAILED=$((RESULTS_FAILED + $1))
	[ -z "$2" ] || echo "not ok: $2"
}

# results_regress "NAME…" OUTPUT-FILE
# Verdict lines are "test NAME ... ok" up to PostgreSQL 15 and "ok 1 - NAME"
# from 16 on, each followed by a duration, with varying blanks between.
results_regress()
{
	local name

	for name in $1; do
		if grep -Eq "^(test +|     )$name +\.\.\. ok( |\$)|^ok +[0-9]+ +[-+] $name( |\$)" "$2"; then
			results_pass 1
		else
			results_fail 1 "$name"
		fi
	done
}

# results_tap OUTPUT-FILE EXIT-STATUS NAME
# Only top-level lines count, subtests are indented.  Several plans add up: a
# driver may consist of several programs.  A plan of no tests that says why
# ("1..0 # SKIP …") is that of a file that cannot run here.
results_tap()
{
	local passed failed planned skipped why

	read -r passed failed planned skipped why <<-END
		$(awk '/^ok( |$)/ { if (/# *[Ss][Kk][Ii][Pp]/) skipped++; else passed++ }
			/^not ok( |$)/ { if (/# *TODO/) skipped++; else failed++ }
			/^1\.\.0 +# *[Ss][Kk][Ii][Pp]/ { sub(/^1\.\.0 +# *[Ss][Kk][Ii][Pp][^ ]* */, ""); why = $0 == "" ? "no reason given" : $0; next }
			/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $1 + 0 }
			END { print passed + 0, failed + 0, planned + 0, skipped + 0, why }' "$1")
	END
	results_pass "$passed"
	results_fail "$failed"
	if { [ "$planned" -eq 0 ] && [ -z "$why" ]; } || [ "$planned" -ne $((passed + failed + skipped)) ]; then
		results_fail 1 "$3: $((passed + failed + skipped)) of $planned planned tests ran"
	elif [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then
		results_fail 1 "$3: exit status $2"
	fi
	[ "$skipped" -eq 0 ] || echo "# $3: $skipped skipped"
	[ -z "$why" ] || echo "# $3: skipped: $why"
	[ "$2" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$planned" -eq $((passed + skipped)) ] &&
		[ $((passed + skipped + ${#why})) -gt 0 ]
}

# results_of NAME CMD…: adds what the script counts in its closing line, which is left
# out of what is shown.  A script that succeeds without one has counted nothing.
results_of()
{
	local name=$1 line passed=0 failed=0 status=0 pattern='^recsys: ([0-9]+) passed, ([0-9]+) failed$'

	shift
	exec 9< <("$@")
	RESULTS_STEP=$!
	while IFS= read -r line; do
		if [[ $line =~ $pattern ]]; then
			passed=${BASH_REMATCH[1]}
			failed=${BASH_REMATCH[2]}
		else
			printf '%s\n' "$line"
		fi
	done <&9
	exec 9<&-
	wait $RESULTS_STEP || status=$?
	RESULTS_STEP=
	results_pass "$passed"
	results_fail "$failed"
	[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || results_fail 1 "$name: exit status $status"
	echo "$name: $passed passed, $failed failed"
}

results_report()
{
	echo "recsys: $RESULTS_PASSED passed, $RESULTS_FAILED failed"
	[ "$RESULTS_FAILED" -eq 0 ] && [ "$RESULTS_PASSED" -gt 0 ]
}
