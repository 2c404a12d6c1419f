# What the test of the Superset dashboard needs: Superset (Python packages in a folder of their own,
# 0.8 GB) and Debian's Chromium with its driver.  Sourced by run.sh; see there.

provision_superset()
{
	local version

	private_packages "Chromium" chromium chromium-driver || return 1
	if ! version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null); then
		private_packages "Python with venv" python3 python3-venv || return 1
		version=$(/usr/bin/python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
	fi
	case $version in
		3.10 | 3.11 | 3.12) ;;
		*)
			PRIVATE_WHY="Superset 6.1 is for Python 3.10 to 3.12, and this one is $version"
			return 1
			;;
	esac
	private_python superset "$root/test/superset/requirements.txt" || return 1
	EXTRA_ENV=(SUPERSET_VENV="$PRIVATE_FOLDER" CHROMIUM=/usr/bin/chromium CHROMEDRIVER=/usr/bin/chromedriver
		${SUPERSET_SHOTS:+SUPERSET_SHOTS="$SUPERSET_SHOTS"})
}
