# Counting test results.  Sourced.
#
#     results_pass N, results_fail N [REASON]
#     results_regress NAMES OUTPUT     pg_regress or pg_isolation_regress
#     results_tap OUTPUT STATUS NAME   Test Anything Protocol
#     results_report                   the closing line; false unless all passed
#
# A test that was to run and left no verdict has failed.

RESULTS_PASSED=0
RESULTS_FAILED=0

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
# driver may consist of several programs.
results_tap()
{
	local passed failed planned skipped

	read -r passed failed planned skipped <<-END
		$(awk '/^ok( |$)/ { if (/# *[Ss][Kk][Ii][Pp]/) skipped++; else passed++ }
			/^not ok( |$)/ { if (/# *TODO/) skipped++; else failed++ }
			/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $1 + 0 }
			END { print passed + 0, failed + 0, planned + 0, skipped + 0 }' "$1")
	END
	results_pass "$passed"
	results_fail "$failed"
	if [ "$planned" -eq 0 ] || [ "$planned" -ne $((passed + failed + skipped)) ]; then
		results_fail 1 "$3: $((passed + failed + skipped)) of $planned planned tests ran"
	elif [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then
		results_fail 1 "$3: exit status $2"
	fi
	[ "$skipped" -eq 0 ] || echo "# $3: $skipped skipped"
	[ "$2" -eq 0 ] && [ "$failed" -eq 0 ] && [ "$planned" -eq $((passed + skipped)) ] && [ "$passed" -gt 0 ]
}

results_report()
{
	echo "recsys: $RESULTS_PASSED passed, $RESULTS_FAILED failed"
	[ "$RESULTS_FAILED" -eq 0 ] && [ "$RESULTS_PASSED" -gt 0 ]
}
