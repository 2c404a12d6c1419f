#!/bin/bash
# make fuzz: hostile images against the decoder and the descriptor, and hostile messages against the
# decoder of recsys-stream.
#
#     FUZZ_ONLY=image            one of them: image or stream
#     FUZZ_SECONDS=180           how long, each
#     FUZZ_CORPUS=FOLDER         where what has been found interesting is kept, to go on from there
#
# Builds src/core/image, or src/stream/record and src/core/stream, with clang's libFuzzer, the address and
# the undefined-behavior sanitizer, and runs fuzz_image.c on changed copies of the files that seeds.c
# writes, fuzz_stream.c on those of a few messages.  The last line of each is "fuzz: N images tried, nothing
# found", or the file that breaks it is kept, and its path told.
#
# FUZZ_LIBRARIES=FOLDER takes libjpeg.a, libpng.a, libwebp.a and libz.a from there, built by
#     clang -fsanitize=fuzzer-no-link,address
# with their headers: then the fuzzer sees into them, and finds its way deeper.  Take the sources that
# your distribution patches: unpatched ones have faults that are known.
#
# Where there is no clang with libFuzzer it is skipped, which is said.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
: "${FUZZ_SECONDS:=180}" "${CC:=clang}"

skip()
{
	echo "fuzz: skipped: $*"
	exit 0
}

command -v "$CC" >/dev/null || skip "there is no $CC"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
echo 'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return data == 0 && size > 0; }' >"$work/probe.c"
"$CC" -fsanitize=fuzzer,address,undefined -o "$work/probe" "$work/probe.c" 2>/dev/null ||
	skip "$CC has no libFuzzer (Debian: apt-get install clang libclang-rt-dev)"

sanitizers="-std=gnu99 -g -O2 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined"

build_image()
{
	local flags="-DRECSYS_STANDALONE -DRECSYS_NO_TARGET_CLONES -I$root/src -I$root/test/core" codecs="-ljpeg -lpng -lwebp"

	if [ -n "$FUZZ_LIBRARIES" ]; then
		flags="$flags -I$FUZZ_LIBRARIES"
		codecs="$FUZZ_LIBRARIES/libjpeg.a $FUZZ_LIBRARIES/libpng.a $FUZZ_LIBRARIES/libwebp.a $FUZZ_LIBRARIES/libz.a"
	fi
	"$CC" $sanitizers $flags -o "$work/fuzz_image" \
		"$root"/test/fuzz/fuzz_image.c "$root"/src/core/image/*.c "$root"/test/core/standalone.c $codecs -lm || return 1
	"$CC" -std=gnu99 -g -O1 -DRECSYS_STANDALONE -I"$root/src" -I"$root/test/core" -o "$work/seeds" \
		"$root"/test/fuzz/seeds.c "$root"/test/core/imagefiles.c -ljpeg -lpng -lwebp -lm && "$work/seeds" "$work/seed_image"
}

# The first byte of a seed picks the stream: see fuzz_stream.c.
build_stream()
{
	local config=${PG_CONFIG:-pg_config} seed

	"$CC" $sanitizers -DFRONTEND -DRECSYS_NO_REGISTRY -D_GNU_SOURCE -Wno-ignored-attributes -I"$root/src" \
		-I"$("$config" --includedir)" -I"$("$config" --includedir-server)" -I"$("$config" --pkgincludedir)/internal" \
		-o "$work/fuzz_stream" "$root"/test/fuzz/fuzz_stream.c "$root"/src/stream/record/*.c "$root"/src/core/stream/*.c \
		-L"$("$config" --pkglibdir)" -lpgcommon -lpgport -lpq -lcrypto -lm || return 1
	for seed in '\0{"user":{"id":7},"items":[{"id":"a","price":1.5e3}],"ts":"2026-11-29T06:45:00.5Z","raw":"\\u00e9\\ud83d\\ude00\\n"}' \
		'\0{"ts":1764398700123,"items":[],"raw":null,"user":true}' '\2"a;""b";1764398700;[1,2]' '\3[1, "x"]' \
		'\1\2\16\2\4\0\2a\4\1\377\0\0\366\316\246\306\331\146\0\4\0\377' '\5a[*]."b.c"[0].d' \
		'\4{"type":"record","name":"a.E","fields":[{"name":"x","type":["null",{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}]}]}'; do
		printf "$seed" >"$work/seed_stream/$(printf "$seed" | cksum | cut -d' ' -f1)"
	done
}

# Runs the fuzzer of that name for things of that kind.
fuzz()
{
	local name=$1 things=$2 corpus=${FUZZ_CORPUS:-$work/corpus}_$1 status=0 file

	mkdir -p "$corpus" "$work/seed_$name" || return 1
	build_$name || return 1
	"$work/fuzz_$name" -max_total_time="$FUZZ_SECONDS" -max_len=8192 -timeout=60 -report_slow_units=60 -rss_limit_mb=2500 \
		-print_final_stats=1 -artifact_prefix="$work/found-$name-" "$corpus" "$work/seed_$name" >"$work/log" 2>&1 || status=$?
	for file in "$work"/found-*; do
		[ -f "$file" ] || continue
		cp "$file" "${TMPDIR:-/tmp}"
		echo "fuzz: this file breaks it: ${TMPDIR:-/tmp}/${file##*/}"
		status=1
	done
	if [ "$status" -ne 0 ]; then
		tail -n 60 "$work/log"
		return 1
	fi
	echo "fuzz: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") $things tried, nothing found"
}

for only in ${FUZZ_ONLY:-image stream}; do
	case $only in
		image) fuzz image images || exit 1 ;;
		stream) fuzz stream messages || exit 1 ;;
		*) echo "fuzz: there is no $only to be fuzzed: image or stream" >&2; exit 1 ;;
	esac
done
