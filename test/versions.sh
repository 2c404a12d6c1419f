#!/bin/bash
# make test-versions: the tests with the other versions of PostgreSQL that recsys supports.
#
#     test/versions.sh [MAJOR…]
#
# Debian's releases have one version each, and a compiler of their time (lib/debian.sh):
# what runs there is test/run.sh itself, with a copy of this working tree.
#
#     PARTS="core regress isolation"    parts of test/run.sh; tap takes long, and is not run unless named
#     TESTS="name …"                    as for test/run.sh
#     REFRESH=1                         makes the folders of the releases anew
#     RECSYS_VERSIONS_CACHE=FOLDER      where they are kept
#
# A version that cannot be had here, for want of root, of a mirror or of namespaces, is
# skipped, which is said, and is no failure.  The last line is "recsys: N passed, N failed" over
# all versions, unless all were skipped.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/results.sh"
. "$root/test/lib/tree.sh"
. "$root/test/lib/debian.sh"

# major version and the release of Debian that has it
RELEASES="17:trixie 18:sid"


: "${PARTS:=core regress isolation}"

# run_there: test/run.sh in DEBIAN_ROOT, and what is there to tell of the release
run_there()
{
	trap 'trap "" TERM; debian_end; exit 143' TERM
	exec 2>&1
	# it stops by itself; the limit is for one that does not
	debian_run 3000 /tmp/recsys/test/run.sh $PARTS
}

end()
{
	[ -z "$RESULTS_STEP" ] || { kill -TERM "$RESULTS_STEP"; wait "$RESULTS_STEP"; } 2>/dev/null
	debian_end
}

# version MAJOR SUITE
version()
{
	local major=$1 suite=$2 name

	printf '\n==== PostgreSQL %s: Debian %s\n' "$major" "$suite"
	if ! debian_root "$suite"; then
		echo "skipped: $DEBIAN_WHY"
		return
	fi
	if [ ! -x "$DEBIAN_ROOT/usr/lib/postgresql/$major/bin/postgres" ]; then
		echo "skipped: Debian $suite as of $(date -r "$DEBIAN_ROOT/etc/apt/apt.conf.d/90recsys" +%F) has no PostgreSQL $major"
		return
	fi
	name="PostgreSQL $major ($(debian_run 60 gcc --version | sed -n '1s/ (.*) / /p'))"
	rm -rf "$DEBIAN_TEMPORARY"/* && tree_copy "$root" "$DEBIAN_TEMPORARY/recsys" || exit 1
	results_of "$name" run_there
}

if ! debian_possible; then
	echo "other versions of PostgreSQL: skipped: $DEBIAN_WHY"
	exit 0
fi
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

for release in $RELEASES; do
	case " ${*:-${release%:*}} " in
		*" ${release%:*} "*) ;;
		*) continue ;;
	esac
	[ -z "$REFRESH" ] || rm -rf "${DEBIAN_CACHE:?}/${release#*:}"
	version "${release%:*}" "${release#*:}"
done

# all that can be had here were skipped
[ $((RESULTS_PASSED + RESULTS_FAILED)) -gt 0 ] || exit 0
results_report
