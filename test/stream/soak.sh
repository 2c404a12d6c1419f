#!/bin/bash
# make soak-stream: a million events, and a hundred processes killed while they are on their way.
#
#     test/stream/soak.sh [kills=100] [events=1000000] [seed=1] [files="kill"]
#
# What is killed, and when, comes from the seed: consumers, the program as a whole, its parent, the
# server and single backends, the broker; at fault points and at any moment (t/kill.pl).  Afterwards every event
# of the topic must be in the table once.  Further seeds follow where several are named: seed="1 2 3".
# The last line reads `recsys: N passed, N failed`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/sandbox.sh"
. "$root/test/lib/server.sh"
. "$root/test/lib/private.sh"
. "$root/test/lib/results.sh"

kills=100
events=1000000
seed=1
files=kill
for argument in "$@"; do
	case "$argument" in
		kills=*|events=*|seed=*|files=*) declare "${argument%%=*}=${argument#*=}" ;;
		*) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	esac
done

provision_server tests
EXTRA_ENV=()
. "$root/test/stream/provision.sh"
if ! provision_stream; then
	echo "stream: skipped: ${PRIVATE_WHY:-what it needs cannot be had}"
	exit 0
fi
sandbox_begin stream $((600 + $(wc -w <<<"$seed") * (kills * 30 + events / 1000)))
server_copy "$root" || exit 1
if ! server_build; then
	tail -n 40 "$SERVER_LOG" >&2
	exit 1
fi
for one in $seed; do
	output=$SANDBOX/stream
	status=0
	mkdir -p "$output"
	sandbox_own "$output"
	sandbox_run 100000 env "${EXTRA_ENV[@]}" PATH="$SANDBOX_PATH" RECSYS_TREE="$SERVER_TREE" STREAM_TESTS="$files" \
		RECSYS_KILLS="$kills" RECSYS_EVENTS="$events" RECSYS_SEED="$one" STREAM_SECONDS=100000 \
		bash -c 'cd "$1" && exec bash "$2"' - "$output" "$SERVER_TREE/test/stream/stream.sh" \
		>"$SANDBOX/stdout" 2>"$SANDBOX/stderr" || status=$?
	[ "$status" -eq 0 ] || sandbox_kill "$output"
	echo "== seed $one"
	grep -E '^(ok|not ok|#|1\.\.0)' "$SANDBOX/stdout"
	results_tap "$SANDBOX/stdout" "$status" "seed $one" || tail -n 60 "$SANDBOX/stderr"
	rm -rf "${output:?}"/*
done
results_report
