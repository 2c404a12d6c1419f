# Other releases of Debian, each in a folder of its own, to run tests with the PostgreSQL
# and the compiler that they have.  Sourced, after provision.sh.
#
#     debian_possible             can this machine do it at all?
#     debian_root SUITE           sets DEBIAN_ROOT to the release's folder; makes it if need be
#     debian_run SECONDS CMD…     runs CMD in there as root; its exit status, 124 if it took longer
#
# The first two are false, with DEBIAN_WHY, where it cannot be done: it takes root and
# namespaces, and to make a folder a mirror of Debian.  That is the one that this machine's
# apt-get has, by the same proxy and certificates; no other is tried.
#
# The folders are kept below $RECSYS_VERSIONS_CACHE, or else recsys/debian of
# $XDG_CACHE_HOME or /var/cache, for later runs.  Making one takes minutes and two
# gigabytes.
#
# A command runs in namespaces of its own: it sees no process and no shared memory of
# this machine, and when it ends, whatever it has mounted and started is gone.

DEBIAN_CACHE=${RECSYS_VERSIONS_CACHE:-${XDG_CACHE_HOME:-/var/cache}/recsys/debian}
DEBIAN_WHY=
DEBIAN_MIRROR=
DEBIAN_ROOT=
DEBIAN_PATIENCE=900	# seconds for each half of making a folder; an idle machine needs less than 90 for both
DEBIAN_STEP=		# the process that is waited for
DEBIAN_TEMPORARY=	# what is /tmp in there, for this run

# The folder $1, bound on itself to be a mount point, becomes a machine whose /tmp is
# the folder $2; what follows is run there.
DEBIAN_ENTER='
	mount --bind "$1" "$1" && mount --bind "$2" "$1/tmp" &&
	mount -t proc proc "$1/proc" && mount --rbind /sys "$1/sys" && mount --rbind /dev "$1/dev" &&
	mount -t tmpfs -o mode=1777 shm "$1/dev/shm" || exit 125
	for file in resolv.conf hosts; do
		[ ! -e "/etc/$file" ] || cp -L "/etc/$file" "$1/etc/$file"
	done
	root=$1
	cd "$root" && shift 2 && exec chroot "$root" "$@"'

# debian_step SECONDS CMD…: CMD in new namespaces.  It is waited for in the
# background, so that a signal to this script is acted on at once.
debian_step()
{
	local limit=$1 status=0

	shift
	timeout -k 20 "$limit" unshare --mount --pid --ipc --fork --kill-child --propagation private \
		"$@" </dev/null &
	DEBIAN_STEP=$!
	wait "$DEBIAN_STEP" || status=$?
	DEBIAN_STEP=
	return $status
}

# The exit trap of a script that uses these functions
debian_end()
{
	trap '' INT TERM HUP
	provision_apt_unguard
	[ -z "$DEBIAN_STEP" ] || { kill -TERM "$DEBIAN_STEP"; wait "$DEBIAN_STEP"; } 2>/dev/null
	[ -z "$DEBIAN_TEMPORARY" ] || rm -rf "$DEBIAN_TEMPORARY"
}

debian_known_mirror()
{
	# the archive that has all packages, not those that have updates only
	apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(RELEASE)|$(REPO_URI)' \
		'Created-By: Packages' 2>/dev/null |
		awk -F'|' '$1 == "Debian" && $2 == "Debian" && $3 !~ /-/ { print $4; exit }'
}

debian_possible()
{
	local program

	if [ "$(id -u)" -ne 0 ]; then
		DEBIAN_WHY="only root can enter another release of Debian"
		return 1
	fi
	for program in apt-get unshare chroot timeout flock; do
		if ! command -v "$program" >/dev/null; then
			DEBIAN_WHY="there is no $program"
			return 1
		fi
	done
	if ! unshare --mount --pid --ipc --fork sh -c 'mount -t proc proc /proc' 2>/dev/null; then
		DEBIAN_WHY="this machine does not let unshare make namespaces"
		return 1
	fi
}

# debian_mirror: sets DEBIAN_MIRROR
debian_mirror()
{
	DEBIAN_MIRROR=$(debian_known_mirror)
	if [ -z "$DEBIAN_MIRROR" ]; then
		# a new machine has no package lists yet
		provision_apt_begin "package lists"
		provision_apt_update
		DEBIAN_MIRROR=$(debian_known_mirror)
	fi
	if [ -z "$DEBIAN_MIRROR" ]; then
		DEBIAN_WHY="apt-get of this machine has no mirror of Debian"
		return 1
	fi
}

# debian_network FOLDER: apt-get in there reaches the mirror as it does out here
debian_network()
{
	local file

	apt-config dump | grep -iE '^Acquire::[^ ]*(proxy|ca(info|path)|verify-|check-(date|valid-until)|retries|timeout)' \
		>"$1/etc/apt/apt.conf.d/90recsys"
	for file in $(sed -n 's/.*CAInfo "\(.*\)";$/\1/Ip' "$1/etc/apt/apt.conf.d/90recsys") \
		/etc/ssl/certs/ca-certificates.crt; do
		[ ! -f "$file" ] || { mkdir -p "$1${file%/*}" && cp -L "$file" "$1$file"; }
	done
}

# debian_fetch SUITE: makes DEBIAN_ROOT; log in $2
debian_fetch()
{
	local proxy limit=$DEBIAN_PATIENCE

	eval "$(apt-config shell proxy Acquire::http::Proxy)"
	if ! debian_step "$limit" env ${proxy:+http_proxy="$proxy" https_proxy="$proxy"} \
		debootstrap --variant=minbase "$1" "$DEBIAN_ROOT" "$DEBIAN_MIRROR" >"$2" 2>&1; then
		DEBIAN_WHY="Debian $1 cannot be had from the mirror"
		return 1
	fi
	debian_network "$DEBIAN_ROOT"
	mkdir -p "$DEBIAN_TEMPORARY/lib"
	cp "${BASH_SOURCE[0]%/*}/provision.sh" "$DEBIAN_TEMPORARY/lib"
	if ! debian_run "$limit" bash /tmp/lib/provision.sh tests >"$2" 2>&1; then
		DEBIAN_WHY="Debian $1 lacks packages that the tests need"
		return 1
	fi
	rm -f "$DEBIAN_ROOT"/var/cache/apt/archives/*.deb
}

# debian_make SUITE: the folder, which is DEBIAN_ROOT then
debian_make()
{
	local folder=$DEBIAN_CACHE/$1 log=$DEBIAN_CACHE/$1.log begin=$SECONDS

	debian_mirror || return 1
	# in a subshell: it exits where the package cannot be had
	if ! command -v debootstrap >/dev/null &&
		! (provision_apt_begin debootstrap && provision_apt_install debootstrap); then
		DEBIAN_WHY="debootstrap cannot be installed"
		return 1
	fi
	echo "recsys: making Debian $1 in $folder, once"
	DEBIAN_ROOT=$folder.new
	rm -rf "$DEBIAN_ROOT"
	if ! debian_fetch "$1" "$log"; then
		tail -n 5 "$log"
		DEBIAN_WHY="$DEBIAN_WHY, after $((SECONDS - begin)) s; see $log"
		rm -rf "$DEBIAN_ROOT"
		# a mirror that does not answer is not to take as long again for the next release
		DEBIAN_PATIENCE=120
		return 1
	fi
	mv "$DEBIAN_ROOT" "$folder" || return 1
	DEBIAN_ROOT=$folder
	echo "recsys: made in $((SECONDS - begin)) s, kept for later runs"
}

# debian_root SUITE
debian_root()
{
	local status=0

	if ! mkdir -p "$DEBIAN_CACHE" || { [ -z "$DEBIAN_TEMPORARY" ] &&
		! DEBIAN_TEMPORARY=$(mktemp -d "$DEBIAN_CACHE/run.XXXXXX"); }; then
		DEBIAN_WHY="$DEBIAN_CACHE cannot be written to"
		return 1
	fi
	chmod 1777 "$DEBIAN_TEMPORARY"
	DEBIAN_ROOT=$DEBIAN_CACHE/$1
	if [ ! -d "$DEBIAN_ROOT" ]; then
		# of two scripts at once the second waits for the first, and finds its folder
		exec 8>"$DEBIAN_CACHE/$1.lock"
		flock 8
		[ -d "$DEBIAN_ROOT" ] || debian_make "$1" 8>&- || status=1
		exec 8>&-
	fi
	return $status
}

# debian_run SECONDS CMD…
debian_run()
{
	local limit=$1 name variables=()

	shift
	for name in TESTS JOBS CC; do
		[ -z "${!name}" ] || variables+=("$name=${!name}")
	done
	debian_step "$limit" bash -c "$DEBIAN_ENTER" - "$DEBIAN_ROOT" "$DEBIAN_TEMPORARY" \
		/usr/bin/env -i HOME=/root LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		"${variables[@]}" "$@"
}
