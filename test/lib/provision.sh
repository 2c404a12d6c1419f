# What the scripts of this directory need from the machine, and how it gets
# there: a PostgreSQL server with its development files, a C compiler, make, the
# libraries that decode images and the Perl modules of PostgreSQL's test framework.
# Whatever is missing is installed with apt-get, as root or through sudo; a machine that has all of it
# is left alone and may be offline.
#
# Sourced:  provision_server [tests]   sets PG_CONFIG, PG_MAJOR, PG_BIN, PG_PGXS
# Run:      test/lib/provision.sh [tests]
#
# With "tests" the programs that only the test suite uses are included.
#
# Existing database clusters are never touched: while packages are installed,
# services may not be started or stopped (policy-rc.d) and Debian's default
# cluster is not created.  Both settings are taken back right afterwards.

# newest first: the first one found installed, or else installable, is used
PROVISION_MAJORS="18 17 16 15"

PROVISION_MARK="written by recsys test/lib/provision.sh, removed when it ends"
PROVISION_POLICY=/usr/sbin/policy-rc.d
PROVISION_NO_CLUSTER=/etc/postgresql-common/createcluster.d/recsys-provision.conf

provision_fail()
{
	echo "recsys: $*" >&2
	exit 1
}

# Takes back what provision_apt_guard set.
provision_apt_unguard()
{
	local file
	for file in "$PROVISION_POLICY" "$PROVISION_NO_CLUSTER"; do
		if grep -qs "$PROVISION_MARK" "$file"; then
			$PROVISION_SUDO rm -f "$file"
		fi
	done
}

# Keeps package scripts from creating, starting or stopping any cluster, until
# provision_apt_unguard, which is called however the script ends.
provision_apt_guard()
{
	local directory=${PROVISION_NO_CLUSTER%/*}

	trap provision_apt_unguard EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	if [ ! -e "$PROVISION_POLICY" ]; then
		printf '#!/bin/sh\n# %s\nexit 101\n' "$PROVISION_MARK" |
			$PROVISION_SUDO tee "$PROVISION_POLICY" >/dev/null
		$PROVISION_SUDO chmod 755 "$PROVISION_POLICY"
	fi
	$PROVISION_SUDO mkdir -p "$directory"
	printf '# %s\ncreate_main_cluster = false\n' "$PROVISION_MARK" |
		$PROVISION_SUDO tee "$PROVISION_NO_CLUSTER" >/dev/null
}

# provision_apt_begin WHY: finds the way to become root
provision_apt_begin()
{
	PROVISION_SUDO=
	command -v apt-get >/dev/null || provision_fail "missing: $1 (and no apt-get here to install it)"
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null ||
			provision_fail "missing: $1; run this as root, or install sudo"
		PROVISION_SUDO=sudo
	fi
}

# Refreshes the package lists, once in a run.
provision_apt_update()
{
	[ -z "$PROVISION_UPDATED" ] || return 0
	PROVISION_UPDATED=yes
	# a broken third-party source must not be in the way: the install tells
	$PROVISION_SUDO timeout --foreground -k 10 300 apt-get update -qq >/dev/null 2>&1 || true
}

# provision_apt_install PACKAGE…
provision_apt_install()
{
	local log status=0

	echo "recsys: installing $*"
	log=$(mktemp)
	provision_apt_update
	provision_apt_guard
	$PROVISION_SUDO env DEBIAN_FRONTEND=noninteractive timeout --foreground -k 10 900 \
		apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "$@" \
		>"$log" 2>&1 </dev/null || status=$?
	provision_apt_unguard
	if [ "$status" -ne 0 ]; then
		tail -n 20 "$log" >&2
		rm -f "$log"
		provision_fail "apt-get could not install: $*"
	fi
	rm -f "$log"
}

# Sets PG_CONFIG and what follows from it; false if there is no server.
provision_find_server()
{
	local major version

	if [ -n "$PG_CONFIG" ]; then
		PG_CONFIG=$(command -v "$PG_CONFIG") || provision_fail "PG_CONFIG is not a program"
	else
		for major in $PROVISION_MAJORS; do
			if [ -x /usr/lib/postgresql/$major/bin/postgres ]; then
				PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
				break
			fi
		done
	fi
	if [ -z "$PG_CONFIG" ] && command -v pg_config >/dev/null &&
		[ -x "$(pg_config --bindir)/postgres" ]; then
		PG_CONFIG=$(command -v pg_config)
	fi
	[ -n "$PG_CONFIG" ] || return 1

	version=$("$PG_CONFIG" --version) || provision_fail "$PG_CONFIG does not run"
	PG_MAJOR=$(printf '%s' "${version#PostgreSQL }" | sed 's/[^0-9].*//')
	[ "$PG_MAJOR" -ge 15 ] || provision_fail "$version is too old, recsys needs 15 or newer"
	PG_BIN=$("$PG_CONFIG" --bindir)
	PG_PGXS=$("$PG_CONFIG" --pgxs)
	PG_TEST=${PG_PGXS%/makefiles/pgxs.mk}/test
	[ -x "$PG_BIN/postgres" ]
}

# Prints the newest supported major version that apt-get knows.
provision_installable_major()
{
	local major

	for major in $PROVISION_MAJORS; do
		if apt-cache show "postgresql-$major" >/dev/null 2>&1; then
			echo "$major"
			return 0
		fi
	done
	return 1
}

# Does the machine's libblas.so.3 seem to be one that is not made to be fast?
provision_blas_is_slow()
{
	local library

	library=$(PATH=$PATH:/sbin:/usr/sbin ldconfig -p 2>/dev/null |
		awk '$1 == "libblas.so.3" { print $NF; exit }')
	[ -n "$library" ] || return 1
	! { readlink -f "$library"; ldd "$library"; } 2>/dev/null |
		grep -qiE 'openblas|blis|mkl|atlas|armpl|nvpl'
}

# The reference BLAS computes the same, in many times the time: better have another
# one, which Debian then prefers by itself.  But it will do.
provision_fast_blas()
{
	provision_blas_is_slow || return 0
	(provision_apt_begin "a fast BLAS" && provision_apt_install libopenblas-serial-dev) ||
		echo "recsys: going on with a slow BLAS library, dense models will take their time"
}

# pg_cron, which calls recsys.maintain in a test; without it that test is skipped.
provision_cron()
{
	[ ! -f "$("$PG_CONFIG" --sharedir)/extension/pg_cron.control" ] || return 0
	(provision_apt_begin "pg_cron" && provision_apt_install "postgresql-$PG_MAJOR-cron") ||
		echo "recsys: going on without pg_cron"
}

# Are the libraries that decode images there, with their headers?
provision_image_libraries()
{
	printf '#include <stdio.h>\n#include <jpeglib.h>\n#include <png.h>\n#include <webp/decode.h>\n' |
		gcc -x c -fsyntax-only - 2>/dev/null
}

# provision_server [tests]
provision_server()
{
	local purpose=$1 missing="" server="" module

	if ! provision_find_server; then
		[ -z "$PG_CONFIG" ] || provision_fail "$PG_CONFIG belongs to no server"
		server=missing
		missing="a PostgreSQL server"
	else
		[ -f "$("$PG_CONFIG" --includedir-server)/postgres.h" ] && [ -f "$PG_PGXS" ] ||
			missing="$missing postgresql-server-dev-$PG_MAJOR"
		[ "$purpose" != tests ] || [ -x "$PG_TEST/regress/pg_regress" ] ||
			missing="$missing postgresql-client-$PG_MAJOR"
	fi
	command -v gcc >/dev/null && [ -e /usr/include/stdio.h ] || missing="$missing gcc libc6-dev"
	command -v make >/dev/null || missing="$missing make"

	# any BLAS and LAPACK will do; this one is fast and starts no threads
	case $(gcc -print-file-name=liblapack.so 2>/dev/null) in
		/*) ;;
		*) missing="$missing libopenblas-serial-dev" ;;
	esac
	provision_image_libraries || missing="$missing libjpeg62-turbo-dev libpng-dev libwebp-dev"
	if [ "$purpose" = tests ]; then
		for module in Test::More:perl Time::HiRes:perl IPC::Run:libipc-run-perl; do
			perl -M"${module%:*}" -e 1 2>/dev/null || missing="$missing ${module##*:}"
		done
	fi
	if [ -z "$missing" ]; then
		provision_fast_blas
		[ "$purpose" != tests ] || provision_cron
		return 0
	fi

	provision_apt_begin "$missing"
	if [ -n "$server" ]; then
		provision_apt_update
		PG_MAJOR=$(provision_installable_major) ||
			provision_fail "apt-get offers no supported PostgreSQL (one of: $PROVISION_MAJORS)"
		missing="${missing#a PostgreSQL server} postgresql-$PG_MAJOR postgresql-server-dev-$PG_MAJOR"
	fi
	# an unquoted list on purpose: one package a word
	provision_apt_install $missing
	provision_fast_blas
	provision_find_server || provision_fail "the PostgreSQL server is still missing"
	[ "$purpose" != tests ] || provision_cron
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	provision_server "$1"
	echo "recsys: using $("$PG_CONFIG" --version) ($PG_CONFIG)"
fi
