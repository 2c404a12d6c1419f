# What only some of the scripts need and Debian does not have, or not in the version that
# is needed: each in a folder of its own, kept for later runs, beside nothing else of the machine.
# Sourced, after provision.sh.
#
#     private_packages WHAT PACKAGE…     Debian packages, as provision.sh installs them
#     private_npm NAME DIRECTORY         packages of DIRECTORY's package-lock.json; sets PRIVATE_FOLDER,
#                                        in which node_modules lies, and PRIVATE_NODE
#     private_python NAME FILE           an environment with the requirements in FILE; likewise,
#                                        with bin/python
#     private_make NAME KEY COMMAND…     COMMAND is called with an empty folder to fill, unless there is
#                                        one that was filled for the same KEY; likewise
#
# All of them are called before the sandbox gives up the caller's rights and environment, which may
# say how registries are reached.  Where something cannot be had they return false, and
# PRIVATE_WHY says why in one sentence.  Folders are kept in RECSYS_CACHE (default: /var/cache/recsys
# for root, ~/.cache/recsys otherwise).  One is filled under another name and renamed when
# it is complete, by one script at a time.

PRIVATE_FOLDER=
PRIVATE_WHY=
PRIVATE_NODE=${PRIVATE_NODE:-}	# the program node, which may come from a script that called this one

private_cache()
{
	local cache=${RECSYS_CACHE:-}

	if [ -z "$cache" ]; then
		cache=$HOME/.cache/recsys
		[ "$(id -u)" -ne 0 ] || cache=/var/cache/recsys
	fi
	echo "$cache"
}

# private_packages WHAT PACKAGE…
private_packages()
{
	local what=$1 package missing=""

	shift
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	# in a subshell, for those end the script where they fail
	if ! (provision_apt_begin "$what" && provision_apt_install $missing); then
		PRIVATE_WHY="$what cannot be installed"
		return 1
	fi
}

# private_make NAME KEY COMMAND…: the folder is NAME with a hash of KEY
private_make()
{
	local name=$1 key=$2 cache hash work log status=0

	shift 2
	cache=$(private_cache)
	hash=$(printf '%s' "$key" | sha256sum | cut -c 1-16)
	PRIVATE_FOLDER=$cache/$name-$hash
	if [ -d "$PRIVATE_FOLDER" ]; then
		touch "$PRIVATE_FOLDER" 2>/dev/null
		return 0
	fi
	# the sandbox's user is to read it, whatever the caller's umask is
	if ! (umask 022 && mkdir -p "$cache") 2>/dev/null || [ ! -w "$cache" ]; then
		PRIVATE_WHY="$cache cannot be written to; set RECSYS_CACHE to a directory that can"
		return 1
	fi
	log=$cache/$name.log
	exec 8>"$cache/$name.lock"
	flock 8
	if [ ! -d "$PRIVATE_FOLDER" ]; then
		echo "recsys: installing $name into $PRIVATE_FOLDER"
		# those of other keys are of other versions of what needs them, which may be in use
		find "$cache" -maxdepth 1 -regextype posix-extended -regex ".*/$name-[0-9a-f]{16}(\.part|\.new)?" \
			-mtime +1 -exec rm -rf {} +
		# what a killed script has left goes first
		work=$PRIVATE_FOLDER.part
		rm -rf "$work" "$PRIVATE_FOLDER.new"
		mkdir "$work" && (umask 022 && "$@" "$work") >"$log" 2>&1 </dev/null 8>&- || status=$?
		if [ "$status" -eq 0 ]; then
			mv "$work" "$PRIVATE_FOLDER"
		else
			tail -n 5 "$log" >&2
			rm -rf "$work" "$PRIVATE_FOLDER.new"
			PRIVATE_WHY="$name could not be installed, see $log"
		fi
	fi
	exec 8>&-
	return $status
}

# private_node_is DIRECTORY: is there a Node.js that is new enough, with npm?
private_node_is()
{
	[ -x "$1/node" ] && [ -x "$1/npm" ] &&
		"$1/node" -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)' 2>/dev/null
}

# Sets PRIVATE_NODE.  Debian's before any other, which may lie in the home of somebody, where the
# sandbox's user does not get; one that a caller has chosen is taken as it is.
private_node()
{
	local other

	[ -z "$PRIVATE_NODE" ] || return 0
	other=$(command -v node)
	if private_node_is /usr/bin; then
		PRIVATE_NODE=/usr/bin/node
	elif [ "$(id -u)" -ne 0 ] && private_node_is "${other%/node}"; then
		PRIVATE_NODE=$other
	elif private_packages "Node.js with npm" nodejs npm && private_node_is /usr/bin; then
		PRIVATE_NODE=/usr/bin/node
	elif private_node_is "${other%/node}"; then
		PRIVATE_NODE=$other
	else
		: "${PRIVATE_WHY:=Node.js 18 or newer with npm is needed, and this is $(node --version 2>&1)}"
		return 1
	fi
}

# A registry that does not answer is given up after some minutes.
private_fill_npm()
{
	cp "$1/package.json" "$1/package-lock.json" "$2" && cd "$2" &&
		PATH=${PRIVATE_NODE%/*}:$PATH timeout -k 10 600 npm ci --ignore-scripts --no-audit --no-fund \
			--no-update-notifier --fetch-timeout=60000 --fetch-retries=1
}

# private_npm NAME DIRECTORY
private_npm()
{
	private_node || return 1
	private_make "$1" "$("$PRIVATE_NODE" --version) $(cat "$2/package.json" "$2/package-lock.json")" private_fill_npm "$2" || {
		PRIVATE_WHY="packages from npm: $PRIVATE_WHY"
		return 1
	}
}

# An environment knows the path that it was made in, so it is made in its last place.
private_fill_python()
{
	local place=${2%.part}

	"$PRIVATE_PYTHON" -m venv "$place.new" && timeout -k 10 900 "$place.new/bin/pip" install -q -r "$1" &&
		rmdir "$2" && mv "$place.new" "$2" &&
		# scripts begin with the path of the interpreter
		{ grep -rlI "$place.new" "$2/bin" | xargs -r sed -i "s|$place.new|$place|g"; }
}

# private_python NAME FILE.  Debian's interpreter before any other, which may lie in the home of
# somebody, where the sandbox's user does not get.
private_python()
{
	PRIVATE_PYTHON=/usr/bin/python3
	if ! "$PRIVATE_PYTHON" -c 'import venv, ensurepip' 2>/dev/null &&
		! private_packages "Python with venv" python3 python3-venv; then
		[ "$(id -u)" -ne 0 ] && python3 -c 'import venv, ensurepip' 2>/dev/null || return 1
		PRIVATE_PYTHON=python3
	fi
	private_make "$1" "$("$PRIVATE_PYTHON" --version) $(cat "$2")" private_fill_python "$2" || {
		PRIVATE_WHY="packages from PyPI: $PRIVATE_WHY"
		return 1
	}
}
