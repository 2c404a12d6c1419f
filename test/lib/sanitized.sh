# A PostgreSQL server with the address sanitizer in it, built from Debian's
# source package of the installed server's major version.  Sourced, after
# provision.sh and private.sh.
#
#     sanitized_server      sets PG_CONFIG, PG_BIN, PG_PGXS, PG_TEST to it
#     sanitized_sandbox     after sandbox_begin: commands can run it
#
# The sanitizer has to be in the program itself to know all of its memory, and
# the server as Debian builds it neither has it nor checks its own assertions.
# This one has both, and tells the sanitizer about every palloc and every buffer
# pin (asan/valgrind/memcheck.h).  Building takes some minutes; the result is
# kept in RECSYS_CACHE (default: /var/cache/recsys for root, ~/.cache/recsys
# otherwise) for later runs.  Nothing outside that directory is written: the
# package lists that apt-get needs for sources are a private set.
#
# Fails, telling why, where there is no source package to be had.

SANITIZED_ASAN_OPTIONS=detect_leaks=0:abort_on_error=1:disable_coredump=1

# Programs have fixed addresses: some kernels otherwise put them where the
# sanitizer wants its shadow memory.
SANITIZED_RUN=
SANITIZED_SERVER=	# yes once there is one
! setarch -R true 2>/dev/null || SANITIZED_RUN="setarch -R"

# The source packages beside the packages that apt-get knows, as sources.list.
sanitized_sources()
{
	apt-get indextargets --no-release-info \
		--format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' | sort -u
}

# sanitized_fetch DIRECTORY: the source package's original archive
sanitized_fetch()
{
	local directory=$1 option version

	mkdir -p "$directory/lists/partial" "$directory/archives/partial" || return 1
	sanitized_sources >"$directory/sources.list"
	option="-o Dir::Etc::sourcelist=$directory/sources.list -o Dir::Etc::sourceparts=- \
		-o Dir::State::lists=$directory/lists -o Dir::Cache=$directory -o APT::Sandbox::User=root"
	timeout --foreground -k 10 300 apt-get $option update -qq >"$directory/fetch.log" 2>&1

	# the newest version first; a mirror may have dropped it already
	for version in $(apt-cache $option showsrc "postgresql-$PG_MAJOR" 2>/dev/null |
		sed -n 's/^Version: //p' | sort -rVu); do
		(cd "$directory" && timeout --foreground -k 10 300 apt-get $option source --download-only -qq \
			"postgresql-$PG_MAJOR=$version") >>"$directory/fetch.log" 2>&1 && return 0
	done
	return 1
}

# sanitized_build SOURCE BUILD PREFIX: all of the server that tests use
sanitized_build()
{
	local source=$1 build=$2 prefix=$3

	mkdir -p "$build" && cd "$build" &&
	$SANITIZED_RUN "$source/configure" --prefix="$prefix" --without-readline --without-zlib \
		--without-icu --enable-cassert --enable-debug \
		CPPFLAGS="-DUSE_VALGRIND -I$SANITIZED_HEADERS" LDFLAGS="-fsanitize=address" \
		CFLAGS="-O1 -g1 -fno-omit-frame-pointer -fsanitize=address" &&
	$SANITIZED_RUN make -s -j "$(nproc)" -C src &&
	$SANITIZED_RUN make -s -C src install
}

sanitized_server()
{
	local cache prefix work test=$PG_TEST archive begin=$SECONDS

	export ASAN_OPTIONS=$SANITIZED_ASAN_OPTIONS
	SANITIZED_HEADERS=$(cd "$(dirname "${BASH_SOURCE[0]}")/asan" && pwd)
	cache=$(private_cache)
	prefix=$cache/postgresql-$PG_MAJOR-asan

	if [ ! -e "$prefix/complete" ]; then
		echo "recsys: building PostgreSQL $PG_MAJOR with the address sanitizer, once"
		work=$cache/work.$$
		rm -rf "$prefix" && mkdir -p "$work" || return 1
		if ! sanitized_fetch "$work/source"; then
			tail -n 5 "$work/source/fetch.log" >&2
			echo "recsys: apt-get has no source package of PostgreSQL $PG_MAJOR" >&2
			rm -rf "$work"
			return 1
		fi
		archive=$(echo "$work"/source/*.orig.tar.*)
		mkdir "$work/postgresql" && tar -xf "$archive" --strip-components=1 -C "$work/postgresql" || return 1
		if ! (sanitized_build "$work/postgresql" "$work/build" "$prefix") >"$work/build.log" 2>&1; then
			grep -E 'error|Error' "$work/build.log" | head -n 10 >&2
			tail -n 10 "$work/build.log" >&2
			echo "recsys: the server does not build with the address sanitizer" >&2
			rm -rf "$work" "$prefix"
			return 1
		fi
		rm -rf "$work"
		touch "$prefix/complete"
		echo "recsys: built in $((SECONDS - begin)) s, kept in $prefix"
	fi

	PG_CONFIG=$prefix/bin/pg_config
	PG_BIN=$prefix/bin
	PG_PGXS=$("$PG_CONFIG" --pgxs)
	PG_TEST=${PG_PGXS%/makefiles/pgxs.mk}/test

	# the framework's Perl modules are no part of this build
	[ -d "$PG_TEST/perl" ] || PG_TEST_PERL=$test/perl
	SANITIZED_SERVER=yes
}

# What the commands of a sandbox need to run such a server
sanitized_sandbox()
{
	SANDBOX_ENV+=(ASAN_OPTIONS="$SANITIZED_ASAN_OPTIONS")
	[ -z "$SANITIZED_RUN" ] || SANDBOX_AS=($SANITIZED_RUN "${SANDBOX_AS[@]}")
}
