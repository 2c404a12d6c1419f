# recsys: recommendations as a PostgreSQL index.
#
# Build and install (needs a PostgreSQL server's development files):
#     make                    builds recsys.so; PG_CONFIG=… picks the server
#     make install            installs into that server
#     make installcheck       SQL tests against a running server that has recsys
#     make stream             builds recsys-stream, which brings events from Kafka into tables: a
#                             program of its own, which may run on another machine than the server
#     make install-stream     installs it beside psql; DESTDIR=… as ever
#
# On a machine with nothing but make, as root or with sudo (each installs what
# it needs with apt-get, uses a private server and cleans up after itself):
#     make demo               real shopping baskets, loaded, trained and served
#     make test               everything; ONLY="regress tap" and TESTS="name …" narrow it,
#                             CC=clang takes another compiler
#     make test-versions      with PostgreSQL 17 and 18, each in a Debian that has it (minutes,
#                             once); VERSIONS=18, PARTS="regress tap" and TESTS="name …" narrow it
#     make report             one HTML page about your shop: PGDATABASE=shop make report; without a
#                             database, over the demo's marketplace
#     make test-report        the page in a browser, beside SQL (part of make test)
#     make test-drivers       clients in many languages (part of make test)
#     make test-stream        recsys-stream with a real broker (part of make test)
#     make test-superset      the Superset dashboard, every chart drawn (installs Superset, minutes)
#     make test-citus         over a cluster of Citus, where that is installed (part of make test)
#     make check-core         the C driver of src/core alone, no server
#     make sanitize           all of it under the address and undefined-behavior
#                             sanitizers, in a server built for that (minutes, once)
#     make valgrind           the C driver under valgrind's memcheck
#     make fuzz               hostile images and messages, three minutes each; FUZZ_SECONDS=3600 for
#                             longer, FUZZ_ONLY=stream for one of them
#     make soak               a mixed load for half an hour; SOAK="sanitize=1 seconds=600"
#     make soak-stream        a million events from Kafka, a hundred kill -9; SOAK="seed=2 kills=20"
#     make bench              benchmark table
#     make bench-stream       recsys-stream's, with a broker on this machine
#     make bench-peers        beside other programs: implicit, LensKit, Redis, miners of item sets
#
# Images are read by libjpeg-turbo, libpng and libwebp (Debian: libjpeg62-turbo-dev libpng-dev
# libwebp-dev).  RECSYS_IMAGES=no builds without them; recsys.image_descriptor() then says so.
#
# recsys-stream needs the development files of librdkafka, libpq and OpenSSL (Debian: librdkafka-dev
# libpq-dev libssl-dev), and to fetch schemas of Avro from a registry those of libcurl
# (libcurl4-openssl-dev); RECSYS_REGISTRY=no builds it without.
#
# Source files are found by wildcard, in the rooms of each layer, so a new one
# needs no change here.  `make -f /path/Makefile VPATH=/path` builds out
# of tree.

EXTENSION = recsys
MODULE_big = recsys

top := $(if $(VPATH),$(VPATH),.)
stream_sources := $(sort $(wildcard $(top)/src/stream/*/*.c))
sources := $(filter-out $(stream_sources),$(sort $(wildcard $(top)/src/*.c $(top)/src/*/*.c $(top)/src/*/*/*.c)))

# Images: what the compiler and the linker need, as pkg-config has it, or as it usually is
RECSYS_IMAGES ?= yes
image_codecs := src/core/image/jpegdecode src/core/image/pngdecode src/core/image/webpdecode
ifeq ($(RECSYS_IMAGES),no)
sources := $(filter-out $(image_codecs:%=$(top)/%.c),$(sources))
else
image_cflags := $(shell pkg-config --cflags libjpeg libpng libwebp 2>/dev/null)
image_libs := $(or $(shell pkg-config --libs libjpeg libpng libwebp 2>/dev/null),-ljpeg -lpng -lwebp)
endif

OBJS = $(patsubst $(top)/%.c,%.o,$(sources))

# The install script of this version is joined from its parts, in this order: each may
# use what stands before it.  Older versions and the ways between them are files.
EXTVERSION := $(shell sed -n "s/^default_version *= *'\(.*\)'/\1/p" $(top)/recsys.control)
sql_parts := access_method serving item_graph rules itemsets baskets maintenance statistics measuring shop images items content next sessions cross ready batch decide log experiments results bandits policy_value metrics views retention streams schedule plots graph_index distribute
install_script := sql/recsys--$(EXTVERSION).sql
DATA = $(filter-out $(install_script),$(patsubst $(top)/%,%,$(wildcard $(top)/sql/recsys--*.sql)))
DATA_built = $(install_script)

# PostgreSQL's own headers are not clean under the two warnings taken back
PG_CPPFLAGS = -I$(top)/src
PG_CFLAGS = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
# the server's flags and headers are often made for gcc; clang is not to warn of what it does not know
ifneq ($(findstring clang,$(CC)),)
PG_CFLAGS += -Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-ignored-attributes
endif
ifeq ($(RECSYS_WERROR),1)
PG_CFLAGS += -Werror
endif
# The address sanitizer comes with the flags of a server that is built with it
# (test/lib/sanitized.sh).  Target clones are picked by ifunc before a
# sanitizer's runtime is up.
ifeq ($(RECSYS_SANITIZE),1)
PG_CFLAGS += -fsanitize=undefined -fno-sanitize-recover=all -DRECSYS_NO_TARGET_CLONES
SHLIB_LINK += -fsanitize=undefined
endif

# src/compat.h refuses a PostgreSQL that is newer than those it knows
ifeq ($(RECSYS_ANY_POSTGRESQL),1)
PG_CPPFLAGS += -DRECSYS_ANY_POSTGRESQL
endif

# points where the TAP tests stop the code (src/fault.h); never in an installed module
ifeq ($(RECSYS_FAULTS),1)
PG_CFLAGS += -DRECSYS_FAULT_INJECTION
endif

# scores of the content room must not depend on the kernel: see core/content/content.h.  By the
# time a rule runs PG_CFLAGS have long become part of CFLAGS, so those are what is added to.
src/core/content/%.o: override CFLAGS += -ffp-contract=off -fno-trapping-math

# nor must sums of scores depend on which loop has added them up
src/core/scoring/%.o: override CFLAGS += -ffp-contract=off

ifeq ($(RECSYS_IMAGES),no)
PG_CPPFLAGS += -DRECSYS_NO_IMAGES
else
PG_CPPFLAGS += $(image_cflags)
SHLIB_LINK += $(image_libs)
endif

# every object records the headers it read, so that editing one rebuilds it
PG_CFLAGS += -MMD -MP
dependencies = $(OBJS:.o=.d)
EXTRA_CLEAN = $(dependencies) regress_input results regression.diffs regression.out

# no bitcode for inlining by JIT: it would need clang; with_llvm=yes asks for it
ifneq ($(origin with_llvm),command line)
override with_llvm := no
endif

REGRESS = $(sort $(patsubst $(top)/test/sql/%.sql,%,$(wildcard $(top)/test/sql/*.sql)))
REGRESS_OPTS = --inputdir=regress_input --load-extension=recsys
REGRESS_PREP = regress_input

# The scripts must run before any pg_config is there, so its absence only
# matters to the targets that compile.
PG_CONFIG ?= pg_config
have_pg_config := $(shell command -v $(PG_CONFIG) 2>/dev/null)

ifneq ($(have_pg_config),)
PGXS := $(shell $(PG_CONFIG) --pgxs)
have_pgxs := $(wildcard $(PGXS))
endif

ifneq ($(have_pgxs),)
$(foreach directory,$(sort $(dir $(OBJS))),$(if $(wildcard $(directory)),,$(shell mkdir -p $(directory))))
include $(PGXS)
-include $(dependencies)
else
all install uninstall installcheck clean:
	@echo "recsys: $(PG_CONFIG) or the server's development files are missing." >&2
	@echo "Install them (apt-get install postgresql-server-dev-all) or set PG_CONFIG=/path/to/pg_config;" >&2
	@echo "make demo and make test install what they need by themselves." >&2
	@exit 1
.PHONY: all install uninstall installcheck clean
endif

# The stream program: a client of the server that shares nothing with the module but the directory
ifneq ($(have_pgxs),)
stream_objects := $(patsubst $(top)/%.c,%.o,$(stream_sources))
# what the module and the program have both is compiled once for each
stream_core := $(patsubst $(top)/%.c,%.program.o,$(sort $(wildcard $(top)/src/core/stream/*.c)))
RECSYS_REGISTRY ?= yes
ifeq ($(RECSYS_REGISTRY),no)
stream_cppflags := -DRECSYS_NO_REGISTRY
else
stream_cppflags := $(shell pkg-config --cflags libcurl 2>/dev/null)
stream_libs := $(or $(shell pkg-config --libs libcurl 2>/dev/null),-lcurl)
stream_headers := \n\#include <curl/curl.h>
endif
stream_cppflags += -DRECSYS_STREAM_VERSION=\"$(EXTVERSION)\" $(shell pkg-config --cflags rdkafka libcrypto 2>/dev/null)
stream_libs += $(or $(shell pkg-config --libs rdkafka libcrypto 2>/dev/null),-lrdkafka -lcrypto)

$(foreach directory,$(sort $(dir $(stream_objects) $(stream_core))),$(if $(wildcard $(directory)),,$(shell mkdir -p $(directory))))
-include $(stream_objects:.o=.d) $(stream_core:.o=.d)
$(stream_objects): override CPPFLAGS := -I$(libpq_srcdir) $(stream_cppflags) $(CPPFLAGS)
$(stream_objects): | stream_libraries
$(stream_core): %.program.o: %.c
	$(CC) $(CFLAGS) -DFRONTEND $(CPPFLAGS) -c -o $@ $<

# from PostgreSQL 17 on libpq_pgport is libpq alone
stream: recsys-stream
recsys-stream: $(stream_objects) $(stream_core)
	$(CC) $(CFLAGS) $^ -L$(pkglibdir) -lpgcommon -lpgport $(libpq_pgport) $(stream_libs) $(LDFLAGS) $(LDFLAGS_EX) -lm -o $@

install-stream: recsys-stream
	$(MKDIR_P) '$(DESTDIR)$(bindir)'
	$(INSTALL_PROGRAM) recsys-stream '$(DESTDIR)$(bindir)/recsys-stream'

.PHONY: stream install-stream stream_libraries
stream_libraries:
	@printf '#include <librdkafka/rdkafka.h>\n#include <libpq-fe.h>\n#include <openssl/evp.h>$(stream_headers)\n' | \
		$(CC) -I$(libpq_srcdir) $(stream_cppflags) -x c -fsyntax-only - 2>/dev/null || { \
		echo "recsys: the development files of librdkafka, libpq, OpenSSL or libcurl are missing." >&2; \
		echo "Install them (apt-get install librdkafka-dev libpq-dev libssl-dev libcurl4-openssl-dev)," >&2; \
		echo "or build without registries of schemas: make RECSYS_REGISTRY=no stream" >&2; exit 1; }
EXTRA_CLEAN += $(stream_objects) $(stream_objects:.o=.d) $(stream_core) $(stream_core:.o=.d) recsys-stream
endif

# Said once and clearly, before compilers and linkers say it in their way
ifneq ($(RECSYS_IMAGES),no)
$(image_codecs:%=%.o): | image_libraries
.PHONY: image_libraries
image_libraries:
	@printf '#include <stdio.h>\n#include <jpeglib.h>\n#include <png.h>\n#include <webp/decode.h>\n' | \
		$(CC) $(image_cflags) $(CFLAGS_SL) -x c -fsyntax-only - 2>/dev/null || { \
		echo "recsys: the development files of libjpeg-turbo, libpng or libwebp are missing." >&2; \
		echo "Install them (apt-get install libjpeg62-turbo-dev libpng-dev libwebp-dev), or build" >&2; \
		echo "without support for images: make RECSYS_IMAGES=no" >&2; exit 1; }
endif

$(install_script): $(sql_parts:%=$(top)/sql/%.sql) $(top)/recsys.control
	@mkdir -p $(@D)
	cat $(sql_parts:%=$(top)/sql/%.sql) >$@

# pg_regress wants sql/ and expected/ side by side
regress_input:
	mkdir -p $@
	ln -sfn $(abspath $(top))/test/sql $@/sql
	ln -sfn $(abspath $(top))/expected $@/expected

.PHONY: demo report test test-report test-drivers test-stream test-superset test-citus test-versions bench bench-stream bench-peers fuzz soak soak-stream check-core sanitize valgrind

demo:
	@$(top)/test/demo.sh

test:
	@$(top)/test/run.sh $(ONLY)

report:
	@$(top)/test/report.sh

test-report:
	@$(top)/test/run.sh report

test-drivers:
	@$(top)/test/run.sh drivers

test-stream:
	@$(top)/test/run.sh stream

test-superset:
	@$(top)/test/run.sh superset

test-citus:
	@$(top)/test/citus.sh

test-versions:
	@PARTS="$(PARTS)" $(top)/test/versions.sh $(VERSIONS)

check-core:
	@$(top)/test/run.sh core

sanitize:
	@$(top)/test/run.sh --sanitize $(ONLY)

valgrind:
	@$(top)/test/run.sh --valgrind core

fuzz:
	@$(top)/test/fuzz/fuzz.sh

ifneq ($(wildcard $(top)/test/bench/run.sh),)
bench:
	@$(top)/test/bench/run.sh

bench-stream:
	@$(top)/test/bench/stream.sh

bench-peers:
	@$(top)/test/bench/peers.sh
endif

ifneq ($(wildcard $(top)/test/soak.sh),)
soak:
	@$(top)/test/soak.sh $(SOAK)

soak-stream:
	@$(top)/test/stream/soak.sh $(SOAK)
endif
