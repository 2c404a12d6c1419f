# What the clients of drivers.sh need.  Sourced by test/run.sh.
#
# Each toolchain for itself: where one cannot be had, its clients are skipped and DRIVERS_WHY_…
# says why.

# drivers_have NAME CMD…: CMD gets it, or the reason is kept
drivers_have()
{
	local name=$1

	shift
	PRIVATE_WHY=
	if ! "$@"; then
		EXTRA_ENV+=("DRIVERS_WHY_$name=${PRIVATE_WHY:-it cannot be had}")
		return 1
	fi
}

# drivers_program NAME: Debian's before any other, which may lie where nobody else gets
drivers_program()
{
	if [ -x "/usr/bin/$1" ]; then
		echo "/usr/bin/$1"
	else
		command -v "$1"
	fi
}

# pyodbc wants the driver manager, too: a library of unixodbc
drivers_odbc()
{
	local library

	private_packages "the ODBC driver" odbc-postgresql unixodbc || return 1
	for library in /usr/lib/*/odbc/psqlodbcw.so; do
		[ -f "$library" ] && EXTRA_ENV+=("DRIVERS_ODBC=$library") && return 0
	done
	PRIVATE_WHY="psqlodbcw.so is nowhere"
	return 1
}

drivers_java()
{
	[ -x /usr/bin/javac ] || private_packages "a JDK" default-jdk-headless || return 1
	[ -f /usr/share/java/postgresql.jar ] || private_packages "the JDBC driver" libpostgresql-jdbc-java || return 1
	EXTRA_ENV+=("DRIVERS_JAVA=/usr/bin/java")
}

# Modules and what compiling them leaves for the next time, as go looks for both outside of the tree;
# nothing of it goes to the caller's home
drivers_fill_go()
{
	local go

	go=$(drivers_program go)
	cp "$1/go.mod" "$1/go.sum" "$2" && cd "$2" && mkdir clients &&
		printf 'package main\n\nimport "github.com/jackc/pgx/v5"\n\nfunc main() { _ = pgx.ErrNoRows }\n' >clients/main.go &&
		export GOFLAGS= GOTOOLCHAIN=local GOMODCACHE=$2/modules GOPATH=$2/path GOCACHE=$2/cache CGO_ENABLED=0 &&
		timeout -k 10 300 "$go" mod vendor &&
		GOPROXY=off timeout -k 10 300 "$go" build -mod=vendor -trimpath -o /dev/null ./clients &&
		chmod -R u+w modules && rm -rf modules path clients
}

drivers_go()
{
	if ! command -v go >/dev/null; then
		private_packages "Go" golang-go || return 1
	fi
	private_make drivers-go "$("$(drivers_program go)" version) $(cat "$1/go.mod" "$1/go.sum")" drivers_fill_go "$1" || {
		PRIVATE_WHY="Go modules: $PRIVATE_WHY"
		return 1
	}
	EXTRA_ENV+=("DRIVERS_GO=$(drivers_program go)" "DRIVERS_GO_FOLDER=$PRIVATE_FOLDER")
}

provision_drivers()
{
	local here=$root/test/drivers

	! drivers_have PYTHON private_python drivers-python "$here/requirements.txt" ||
		EXTRA_ENV+=("DRIVERS_PYTHON=$PRIVATE_FOLDER/bin/python")
	drivers_have ODBC drivers_odbc
	drivers_have JAVA drivers_java
	! drivers_have NODE private_npm drivers-node "$here/node" ||
		EXTRA_ENV+=("DRIVERS_NODE=$PRIVATE_NODE" "DRIVERS_NODE_FOLDER=$PRIVATE_FOLDER")
	drivers_have GO drivers_go "$here/go"
	return 0
}
