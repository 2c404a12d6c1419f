# What the tests of recsys-stream need: libraries to build it, and a Kafka broker.  Sourced by
# test/run.sh, test/stream/soak.sh and test/bench/stream.sh, after lib/provision.sh and lib/private.sh.
#
#     provision_stream [kafka]   sets EXTRA_ENV for stream.sh; false where the program cannot be built;
#                                with "kafka" there is no Kafka Connect
#     stream_maven NAME POM      a folder with the jars that a pom.xml names, and those that they need;
#                                sets PRIVATE_FOLDER
#
# Where there is no Java or no registry of its packages, RECSYS_KAFKA is empty and RECSYS_KAFKA_WHY
# says why: tests of a real broker are skipped then, those of librdkafka's own mock cluster are not.

STREAM_HERE=${BASH_SOURCE[0]%/*}

stream_libraries()
{
	printf '#include <%s>\n' librdkafka/rdkafka.h libpq-fe.h openssl/hmac.h curl/curl.h |
		gcc -I"$("$PG_CONFIG" --includedir)" -x c -fsyntax-only - 2>/dev/null && command -v pkg-config >/dev/null ||
		private_packages "libraries of recsys-stream" librdkafka-dev libpq-dev libssl-dev \
			libcurl4-openssl-dev pkg-config
}

# Java 17 or newer; Debian's before any other, which may lie where nobody else gets
stream_java()
{
	local java

	for java in /usr/bin/java "$(command -v java)"; do
		if [ -x "$java" ] && "$java" -XX:-UsePerfData -version 2>&1 | grep -qE 'version "?(1[7-9]|[2-9][0-9])'; then
			STREAM_JAVA=$java
			return 0
		fi
	done
	# 17 of Debian 12, newer ones later
	private_packages "Java 17" default-jre-headless || return 1
	STREAM_JAVA=/usr/bin/java
}

# The plugins that copy are downloaded, too, into the folder, and go when they have done their work.
# Java leaves nothing in /tmp without its performance data.
stream_fill_maven()
{
	local work=$2

	cd "$work" && cp "$1" pom.xml || return 1
	MAVEN_OPTS="$MAVEN_OPTS -XX:-UsePerfData" timeout -k 10 600 mvn -B -q -C -Dmaven.repo.local="$work/repository" \
		org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
		-DoutputDirectory="$work/lib" -DincludeScope=runtime || return 1
	rm -rf repository
}

stream_maven()
{
	if ! command -v mvn >/dev/null; then
		private_packages "Maven" maven || return 1
	fi
	private_make "$1" "$(cat "$2")" stream_fill_maven "$2" || {
		PRIVATE_WHY="packages for Java: $PRIVATE_WHY"
		return 1
	}
}

# Kafka Connect with Debezium's connectors, for t/connect.pl
provision_connect()
{
	if stream_maven stream-connect "$STREAM_HERE/connect/pom.xml"; then
		EXTRA_ENV+=("RECSYS_CONNECT=$PRIVATE_FOLDER/lib")
	else
		EXTRA_ENV+=("RECSYS_CONNECT_WHY=$PRIVATE_WHY")
	fi
}

provision_stream()
{
	stream_libraries || return 1
	PRIVATE_WHY=
	if stream_java && stream_maven stream-kafka "$STREAM_HERE/kafka/pom.xml"; then
		EXTRA_ENV+=("RECSYS_KAFKA=$PRIVATE_FOLDER/lib" "RECSYS_JAVA=$STREAM_JAVA")
		[ -n "$1" ] || provision_connect
	else
		EXTRA_ENV+=("RECSYS_KAFKA=" "RECSYS_KAFKA_WHY=${PRIVATE_WHY:-it cannot be had}")
	fi
	EXTRA_ENV+=("STREAM_PG_CONFIG=$PG_CONFIG" "STREAM_PG_TEST=$PG_TEST" "STREAM_PG_TEST_PERL=${PG_TEST_PERL:-$PG_TEST/perl}")
	return 0
}
