# A sandbox for one run of a script: a temporary directory, an unprivileged
# user to work as, a deadline, and the promise that nothing outlives the run,
# neither files nor processes, however it ends.  Sourced.
#
#     sandbox_begin NAME SECONDS   after it, $SANDBOX is the directory
#     sandbox_run SECONDS CMD…     runs CMD unprivileged, at most SECONDS long
#
# Root is needed for apt-get only.  Everything else runs as user postgres (or
# nobody) when the script was started as root, because a PostgreSQL server
# refuses to run as root, and as the current user otherwise.  Commands see a
# clean environment: no PG* variables, no personal psqlrc, no locale.
#
# Processes are recognised as ours by working in $SANDBOX or by the variable
# RECSYS_SANDBOX in their environment; no others are ever signalled.

SANDBOX=
SANDBOX_STEP=		# the process that sandbox_run waits for
SANDBOX_BESIDE=		# processes of this script that run beside it: see jobs.sh
SANDBOX_ROOT=()		# what runs a command before it gives up root: see sandbox_small_disk

sandbox_begin()
{
	local name=$1 base=${TMPDIR:-/tmp}

	SANDBOX_DEADLINE=$((SECONDS + $2))

	SANDBOX_AS=()
	SANDBOX_USER=$(id -un)
	if [ "$(id -u)" -eq 0 ]; then
		SANDBOX_USER=nobody
		! id postgres >/dev/null 2>&1 || SANDBOX_USER=postgres
		SANDBOX_AS=(setpriv --reuid="$SANDBOX_USER" --regid="$(id -gn "$SANDBOX_USER")" --init-groups)
	fi

	# socket paths have to stay under 108 bytes, and the user must get there
	if [ ${#base} -gt 40 ] || ! "${SANDBOX_AS[@]}" test -x "$base"; then
		base=/tmp
	fi
	trap 'sandbox_end $?' EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	SANDBOX=$(mktemp -d "$base/recsys-$name.XXXXXX") || exit 1
	mkdir "$SANDBOX/tmp" "$SANDBOX/home"
	[ "$(id -u)" -ne 0 ] || chown -R "$SANDBOX_USER:" "$SANDBOX"
	SANDBOX_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	SANDBOX_ENV=()
	cd "$SANDBOX" || exit 1
}

# A file system of some megabytes at $SANDBOX_SMALL_DISK, for commands from now on.
# It is mounted anew for each command, in a mount namespace of its own that ends
# with it.  Only root can do that: false, and nothing changed, where it cannot be
# done.
sandbox_small_disk()
{
	local directory=$SANDBOX/small megabytes=$1

	mkdir -p "$directory"
	[ "$(id -u)" -eq 0 ] || return 1
	SANDBOX_ROOT=(unshare --mount bash -c \
		'mount -t tmpfs -o "size=$1m,mode=777" recsys "$2" && shift 2 && exec "$@"' - \
		"$megabytes" "$directory")
	if ! "${SANDBOX_ROOT[@]}" true 2>/dev/null; then
		SANDBOX_ROOT=()
		return 1
	fi
	SANDBOX_SMALL_DISK=$directory
}

# Gives a path that root just made to the unprivileged user.
sandbox_own()
{
	[ "$(id -u)" -ne 0 ] || chown -R "$SANDBOX_USER:" "$@"
}

# Seconds until the deadline, at least 1.
sandbox_left()
{
	local left=$((SANDBOX_DEADLINE - SECONDS))
	echo $((left > 0 ? left : 1))
}

# sandbox_run SECONDS CMD…: exit status of CMD, 124 when it took too long.
# The command is waited for in the background, so that a signal to this script
# is acted on at once; `timeout` passes it to the command's whole group.
sandbox_run()
{
	local limit=$1 left status=0

	shift
	left=$(sandbox_left)
	[ "$limit" -le "$left" ] || limit=$left
	"${SANDBOX_ROOT[@]}" "${SANDBOX_AS[@]}" env -i HOME="$SANDBOX/home" TMPDIR="$SANDBOX/tmp" PATH="$SANDBOX_PATH" \
		LC_ALL=C USER="$SANDBOX_USER" LOGNAME="$SANDBOX_USER" RECSYS_SANDBOX="$SANDBOX" \
		"${SANDBOX_ENV[@]}" timeout -k 10 "$limit" "$@" </dev/null &
	SANDBOX_STEP=$!
	wait "$SANDBOX_STEP" || status=$?
	SANDBOX_STEP=
	return $status
}

# sandbox_processes [DIRECTORY]: prints the processes that belong to this sandbox,
# or those that work in a directory of it
sandbox_processes()
{
	local directory=${1:-$SANDBOX} self=$BASHPID

	# not one process for each that is looked at, and none that would find itself
	(
		cd /
		{
			find /proc -mindepth 2 -maxdepth 2 -name cwd \( -lname "$directory" -o -lname "$directory/*" \)
			[ -n "$1" ] || grep -lsz "^RECSYS_SANDBOX=$SANDBOX\$" /proc/[0-9]*/environ
		} 2>/dev/null | sed -n 's|^/proc/\([0-9]*\)/.*|\1|p' | sort -nu | grep -vx -e "$$" -e "$self"
	)
}

# sandbox_kill [DIRECTORY]: ends the processes that sandbox_processes names.
# Servers first, with the immediate shutdown that lets them give their shared
# memory back, then whatever is still there.  A server that a test killed and
# could not start again left a shared memory segment: its lock file names it, by
# key and number, in the seventh line.
sandbox_kill()
{
	local directory=${1:-$SANDBOX} file pid try key segment

	while read -r file; do
		pid=$(head -n 1 "$file")
		case "$(readlink "/proc/$pid/cwd")/" in
			"$directory"/*) kill -QUIT "$pid" 2>/dev/null ;;
			*)
				read -r key segment <<<"$(sed -n 7p "$file")"
				if [ -n "$segment" ] && awk -v key="$key" -v id="$segment" \
					'$1 == key && $2 == id && $7 == 0 { found = 1 } END { exit !found }' \
					/proc/sysvipc/shm; then
					ipcrm -m "$segment" 2>/dev/null
				fi
				;;
		esac
	done < <(find "$directory" -name postmaster.pid 2>/dev/null)
	for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		pid=$(sandbox_processes "$@")
		[ -n "$pid" ] || return 0
		[ "$try" -lt 10 ] || kill -KILL $pid 2>/dev/null
		sleep 0.3
	done
}

# The exit trap.
sandbox_end()
{
	trap '' INT TERM HUP
	trap - EXIT
	cd /
	provision_apt_unguard
	if [ -n "$SANDBOX_STEP$SANDBOX_BESIDE" ]; then
		kill -TERM $SANDBOX_STEP $SANDBOX_BESIDE 2>/dev/null
	fi
	if [ -n "$SANDBOX" ]; then
		sandbox_kill
		rm -rf "$SANDBOX"
	fi
	exit "$1"
}
