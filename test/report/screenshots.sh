#!/bin/bash
# Pictures of the report for the manual: doc/report-*.png, of the demo's marketplace.
#
#     test/report/screenshots.sh           makes the report (make report), then its pictures
#     test/report/screenshots.sh FILE      of a report that is there
#
# Colors are reduced to a palette by pngquant, without which a picture is thrice as large.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/test/lib/provision.sh"
. "$root/test/lib/private.sh"
. "$root/test/report/provision.sh"

fail()
{
	echo "recsys: $*" >&2
	exit 1
}

provision_report || fail "${PRIVATE_WHY:-what it needs cannot be had}"
private_packages "what makes pictures small" pngquant || fail "$PRIVATE_WHY"
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
report=${1:-$work/report.html}
[ -n "$1" ] || REPORT=$report REPORT_TITLE="A marketplace" "$root/test/report.sh" || exit 1
report=$(readlink -f "$report")
mkdir "$work/home"
HOME=$work/home REPORT_DIRECTORY=$work REPORT_CHROMIUM=$REPORT_CHROMIUM REPORT_MODULES=$REPORT_MODULES \
	node "$root/test/report/screenshots.mjs" "$report" "$work" || fail "the report could not be opened"
for picture in "$work"/report-*.png; do
	pngquant --force --strip --speed 1 --quality 50-95 --output "$picture.small" -- "$picture" && mv "$picture.small" "$picture" || fail "pngquant has failed"
	size=$(wc -c <"$picture")
	[ "$size" -lt 150000 ] || fail "${picture##*/} has $size bytes"
	install -m 644 "$picture" "$root/doc/" && echo "doc/${picture##*/}: $size bytes"
done
