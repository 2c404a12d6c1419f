# A private PostgreSQL: the extension is built from a copy of the sources and
# installed into a tree of its own inside the sandbox, and a throw-away cluster
# runs from that tree.  Sourced, after provision.sh
# and sandbox.sh.
#
#     server_build              builds and installs; log in $SERVER_LOG
#     server_install NAME …     the same again into another tree, built otherwise
#     server_reuse FROM TO      has the latter start with objects of another tree
#     server_start [CONF…]      cluster on a Unix socket in $SERVER_SOCKET
#     server_stop
#
# The tree mirrors the server's own paths below $SANDBOX/root: programs are
# copied, everything else is linked, and recsys is added.  PostgreSQL finds its
# directories relative to its program file, so that server loads recsys from
# there, and the PostgreSQL of the machine is neither written to nor affected by
# a recsys that may be installed in it.  No TCP port is opened.

. "${BASH_SOURCE[0]%/*}/tree.sh"

SERVER_TREE=		# the copied sources
SERVER_BIN=			# programs of the private tree
SERVER_LOG=

# server_copy ROOT: a copy of the working tree that the user may write to
server_copy()
{
	SERVER_TREE=$SANDBOX/tree
	SERVER_LOG=$SANDBOX/build.log
	tree_copy "$1" "$SERVER_TREE" || return 1
	sandbox_own "$SERVER_TREE"
}

# server_link FROM TO: every entry of FROM that TO lacks, our own left out
server_link()
{
	local entry name

	for entry in "$1"/*; do
		name=${entry##*/}
		case "$name" in
			recsys*) continue ;;
		esac
		if [ ! -e "$2/$name" ] && [ ! -L "$2/$name" ]; then
			ln -s "$entry" "$2/$name"
		fi
	done
}

# server_reuse FROM TO: objects of a build for one that differs in having fault
# points only, before the latter's server_install: those whose source has none.
server_reuse()
{
	local from=$SANDBOX/$1.build to=$SANDBOX/$2.build object

	mkdir "$to"
	(cd "$from" && find . -name '*.o' | while read -r object; do
		grep -qs 'fault\.h' "${object%.o}.d" || cp --parents -p "$object" "${object%.o}.d" "$to"
	done)
}

# server_install NAME PG_CONFIG [VARIABLE=VALUE…]: builds for that server, with
# warnings as errors, and installs into the tree $SANDBOX/NAME.  SERVER_INSTALLED
# is then the directory of its programs.
server_install()
{
	local root=$SANDBOX/$1 config=$2 bin share pkglib
	local make=(make -C "$root.build" -f "$SERVER_TREE/Makefile" VPATH="$SERVER_TREE" \
		PG_CONFIG="$config" RECSYS_WERROR=1 ${CC:+CC="$CC"} "${@:3}")

	mkdir -p "$root.build" "$root"
	sandbox_own "$root.build" "$root"
	sandbox_run 900 "${make[@]}" -j "$(nproc)" all >>"$SERVER_LOG" 2>&1 || return 1
	sandbox_run 60 "${make[@]}" DESTDIR="$root" install >>"$SERVER_LOG" 2>&1 || return 1

	bin=$("$config" --bindir)
	share=$("$config" --sharedir)
	pkglib=$("$config" --pkglibdir)
	mkdir -p "$root$bin"
	cp -a "$bin"/. "$root$bin"
	server_link "$share" "$root$share"
	server_link "$share/extension" "$root$share/extension"
	server_link "$pkglib" "$root$pkglib"
	SERVER_INSTALLED=$root$bin
}

# The module as it is delivered (or sanitized), in the tree that all programs come from.
server_build()
{
	server_install root "$PG_CONFIG" RECSYS_SANITIZE="$RECSYS_SANITIZE" || return 1
	SERVER_BIN=$SERVER_INSTALLED
	SANDBOX_PATH=$SERVER_BIN:$SANDBOX_PATH
}

# server_start [CONFIGURATION LINE…]
server_start()
{
	SERVER_DATA=$SANDBOX/data
	SERVER_SOCKET=$SANDBOX/socket
	mkdir "$SERVER_SOCKET"
	sandbox_own "$SERVER_SOCKET"
	if ! sandbox_run 120 initdb -D "$SERVER_DATA" -U postgres -A trust -E UTF8 --locale=C \
		--no-sync >"$SANDBOX/initdb.log" 2>&1; then
		cat "$SANDBOX/initdb.log" >&2
		return 1
	fi
	{
		echo "listen_addresses = ''"
		echo "unix_socket_directories = '$SERVER_SOCKET'"
		echo "fsync = off"
		echo "shared_buffers = 256MB"
		echo "max_wal_size = 4GB"
		# expected output must not depend on the machine's BLAS
		echo "recsys.blas_warning = off"
		printf '%s\n' "$@"
	} >>"$SERVER_DATA/postgresql.conf"
	SANDBOX_ENV+=(PGHOST="$SERVER_SOCKET" PGUSER=postgres PGDATABASE=postgres)
	if ! sandbox_run 90 pg_ctl -D "$SERVER_DATA" -l "$SANDBOX/server.log" \
		-w -t 60 start >"$SANDBOX/start.log" 2>&1; then
		cat "$SANDBOX/start.log" "$SANDBOX/server.log" >&2 2>/dev/null
		return 1
	fi
}

server_stop()
{
	sandbox_run 60 pg_ctl -D "$SERVER_DATA" -m fast -w stop >/dev/null 2>&1
}
