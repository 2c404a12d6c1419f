# What the test of the report needs: Chromium, and the built page with its packages from npm, among
# which is the one that drives the browser.  Sourced by test/run.sh and screenshots.sh.

. "$root/test/lib/report.sh"

provision_report()
{
	REPORT_CHROMIUM=$(command -v chromium || command -v chromium-browser)
	if [ -z "$REPORT_CHROMIUM" ]; then
		private_packages Chromium chromium || return 1
		REPORT_CHROMIUM=$(command -v chromium) || return 1
	fi
	report_page || return 1
	EXTRA_ENV=(RECSYS_CACHE="$(private_cache)" REPORT_CHROMIUM="$REPORT_CHROMIUM" REPORT_MODULES="$REPORT_MODULES"
		PRIVATE_NODE="$PRIVATE_NODE")
}
