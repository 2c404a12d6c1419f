#!/bin/bash
# make fuzz: hostile images against the decoder and the descriptor.
#
#     FUZZ_SECONDS=180           how long
#     FUZZ_CORPUS=FOLDER         where what has been found interesting is kept, to go on from there
#
# Builds src/core/image with clang's libFuzzer, the address and the undefined-behavior
# sanitizer, and runs fuzz_image.c on changed copies of the files that seeds.c writes.  The last line is
# "fuzz: N files tried, nothing found", or the file that breaks it is kept, and its path told.
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

flags="-std=gnu99 -g -O2 -fno-omit-frame-pointer -DRECSYS_STANDALONE -DRECSYS_NO_TARGET_CLONES -I$root/src -I$root/test/core"
codecs="-ljpeg -lpng -lwebp"
if [ -n "$FUZZ_LIBRARIES" ]; then
	flags="$flags -I$FUZZ_LIBRARIES"
	codecs="$FUZZ_LIBRARIES/libjpeg.a $FUZZ_LIBRARIES/libpng.a $FUZZ_LIBRARIES/libwebp.a $FUZZ_LIBRARIES/libz.a"
fi
"$CC" $flags -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -o "$work/fuzz" \
	"$root"/test/fuzz/fuzz_image.c "$root"/src/core/image/*.c "$root"/test/core/standalone.c $codecs -lm || exit 1
"$CC" -std=gnu99 -g -O1 -DRECSYS_STANDALONE -I"$root/src" -I"$root/test/core" -o "$work/seeds" \
	"$root"/test/fuzz/seeds.c "$root"/test/core/imagefiles.c -ljpeg -lpng -lwebp -lm || exit 1

corpus=${FUZZ_CORPUS:-$work/corpus}
mkdir -p "$corpus" "$work/seed" && "$work/seeds" "$work/seed" || exit 1
status=0
"$work/fuzz" -max_total_time="$FUZZ_SECONDS" -max_len=8192 -timeout=60 -report_slow_units=60 -rss_limit_mb=2500 -print_final_stats=1 \
	-artifact_prefix="$work/found-" "$corpus" "$work/seed" >"$work/log" 2>&1 || status=$?
for file in "$work"/found-*; do
	[ -f "$file" ] || continue
	cp "$file" "${TMPDIR:-/tmp}"
	echo "fuzz: this file breaks it: ${TMPDIR:-/tmp}/${file##*/}"
	status=1
done
if [ "$status" -ne 0 ]; then
	tail -n 60 "$work/log"
	exit 1
fi
echo "fuzz: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") files tried, nothing found"
