# The page of make report, built and filled.  Sourced, after provision.sh and private.sh; $root is
# the source tree.
#
#     report_page                         builds it, unless it is there: REPORT_PAGE is the file,
#                                         REPORT_MODULES the folder with node_modules
#     report_embed DATA FILE [CURRENCY [TITLE]]   FILE is that page with the JSON in DATA
#
# report_page is called before the sandbox gives up the caller's rights; it returns false where that
# cannot be had, and PRIVATE_WHY says why.

REPORT_PAGE=
REPORT_MODULES=

report_fill()
{
	local source=$1 modules=$2 work=$3

	cp -r "$source/index.html" "$source/package.json" "$source/vite.config.js" "$source/embed.mjs" "$source/src" "$work" &&
		ln -s "$modules/node_modules" "$work/node_modules" && cd "$work" &&
		timeout -k 10 300 "$PRIVATE_NODE" node_modules/vite/bin/vite.js build --logLevel warn && [ -s dist/index.html ]
}

report_page()
{
	local source=$root/sql/dashboards/report

	private_npm report-npm "$source" || return 1
	REPORT_MODULES=$PRIVATE_FOLDER
	private_make report-page "$REPORT_MODULES $(cd "$source" && cat package.json index.html vite.config.js embed.mjs $(find src -type f | LC_ALL=C sort))" \
		report_fill "$source" "$REPORT_MODULES" || return 1
	REPORT_PAGE=$PRIVATE_FOLDER/dist/index.html
}

report_embed()
{
	"$PRIVATE_NODE" "${REPORT_PAGE%/dist/*}/embed.mjs" "$REPORT_PAGE" "$@"
}
