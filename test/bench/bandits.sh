#!/bin/bash
# Bandits: how much the policies lose before they know the best arm, on published settings.
# Prints tables, and whether what theory says is seen; no server is needed.
#
#     test/bench/bandits.sh [option=value…] [part…]
#
# Parts; without any, all:
#     chapelle   10 and 100 arms, the best brings .5, the others .1 or .02 less
#     auer       distributions 1, 2, 3 and 11 to 14 of Auer, Cesa-Bianchi and Fischer
#     linear     rewards linear in features: of the context, or of the arms
#     drift      the best arm changes
#     delayed    rewards come in batches of up to 1,000
#     cost       how long it takes to choose
# Options, with their defaults:
#     runs=200         fewer for settings with many arms or features
#     trials=10000000  at most, a power of ten
#     plots=           directory for a plot of each setting, as SVG; none: no plots
#
# What the figures mean: README.md.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
runs=200
trials=10000000
plots=-
parts=()
for argument in "$@"; do
	case "$argument" in
		runs=[1-9]*) runs=${argument#*=} ;;
		trials=10*) trials=${argument#*=} ;;
		plots=?*) plots=${argument#*=} ;;
		chapelle | auer | linear | drift | delayed | cost) parts+=("$argument") ;;
		*) sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	esac
done
build=$(mktemp -d) || exit 1
trap 'rm -rf "$build"' EXIT
[ "$plots" = - ] || mkdir -p "$plots" || exit 1
${CC:-cc} -std=gnu99 -O2 -Wall -DRECSYS_STANDALONE -I"$root/src" -I"$root/test/core" -o "$build/bandits" \
	"$root"/test/bench/bandits/*.c "$root"/src/core/policy/*.c "$root/test/core/standalone.c" -lm || exit 1
"$build/bandits" "$runs" "$trials" "$plots" "${parts[@]}"
