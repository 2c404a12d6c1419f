# What of the working tree tests need.  Sourced.
#
#     tree_copy FROM TO     copies that, without what has been built; TO is made

tree_copy()
{
	local version

	version=$(sed -n "s/^default_version *= *'\(.*\)'/\1/p" "$1/recsys.control")
	mkdir "$2" &&
	(cd "$1" && tar -cf - --exclude='*.o' --exclude='*.so' --exclude='*.d' --exclude='*.bc' \
		--exclude="sql/recsys--$version.sql" --exclude=regress_input --exclude=test/core/build \
		Makefile README.md CHANGELOG.md recsys.control doc sql src test expected) |
		tar -xf - -C "$2"
}
