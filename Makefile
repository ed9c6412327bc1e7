# The commands a newcomer types. `make run` and `make test` install what they need, and say so.

CARGO ?= cargo
BIN := target/release/cornetta
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

# How long each fuzz target runs.
SECONDS_EACH ?= 15

.PHONY: run test check bench fuzz needs-build needs-check needs-test needs-fuzz

run: needs-build
	@echo "Building (a few minutes on a fresh machine) ..."
	$(CARGO) build --release --locked -p cornetta
	$(BIN) demo

# The black box runs the binary that the workspace's tests are built with: alone, every crate below it would be compiled twice.
test: needs-build needs-test check
	$(CARGO) check --release --locked -p cornetta
	$(CARGO) test --release --locked --workspace
	$(CARGO) test --release --locked -p journal --features sled
	python3 tests/blackbox/run.py --cornetta $(BIN)
	$(MAKE) fuzz

check: needs-check
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --locked --workspace --all-targets -- -D warnings
	$(CARGO) clippy --release --locked -p phone --features soundcard -- -D warnings
	$(CARGO) clippy --release --locked -p journal --features sled --all-targets -- -D warnings
	$(CARGO) test --release --locked -p xtask
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --workspace --no-deps --quiet

bench: needs-build needs-test
	$(CARGO) build --release --locked -p cornetta -p benches
	python3 benches/run.py --cornetta $(BIN)

# Without a sanitizer, so that a stable toolchain is enough: our crates forbid `unsafe`.
fuzz: needs-build needs-fuzz
	$(CARGO) fuzz build -s none
	@for target in message sdp uri framing stun speech srtp jitter_buffer media_packets handshakes small stir script user_agent engine; do \
	  seeds=fuzz/seeds/$$target; \
	  if [ $$target = script ]; then seeds=crates/ivr/tests/broken; fi; \
	  mkdir -p fuzz/corpus/$$target $$seeds; \
	  echo "Fuzzing $$target for $(SECONDS_EACH) s"; \
	  $(CARGO) fuzz run -s none $$target fuzz/corpus/$$target $$seeds -- \
	    -max_total_time=$(SECONDS_EACH) -timeout=5 -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0 || exit 1; \
	done

# libopus is built from source by cmake and a C compiler.
needs-build:
	@command -v cmake >/dev/null && command -v cc >/dev/null && command -v pkg-config >/dev/null || { \
	  echo "Installing cmake, a C compiler and pkg-config: libopus, which reads the prompts, is built with them."; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq cmake gcc g++ make pkg-config >/dev/null; }

# Phones and load that are not ours, for the black-box tests. PJSIP is in no distribution, and its package is not built for
# every Python: without it its cases say so and are skipped. So it is with aiortc, Chromium and Firefox.
needs-test:
	@command -v sipp >/dev/null && command -v baresip >/dev/null && command -v linphonec >/dev/null && \
	  command -v tshark >/dev/null && command -v nft >/dev/null && command -v ip >/dev/null && \
	  command -v openssl >/dev/null && command -v python3 >/dev/null || { \
	  echo "Installing sip-tester, baresip, linphone-cli, tshark, nftables, iproute2, openssl and python3: the black-box"; \
	  echo "tests call Cornetta with them, read its captures and put a NAT before it."; \
	  $(SUDO) apt-get update -qq && \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq sip-tester baresip linphone-cli tshark nftables \
	    iproute2 openssl python3 python3-pip >/dev/null; }
	@test -d target/pjsip || { \
	  echo "Installing PJSIP's Python package into target/pjsip: the black-box tests call Cornetta with it."; \
	  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	    --target target/pjsip -r tests/blackbox/requirements.txt || rm -rf target/pjsip; }
	@test -d target/aiortc || { \
	  echo "Installing aiortc into target/aiortc: the black-box tests call Cornetta with it as browsers do."; \
	  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	    --target target/aiortc -r tests/blackbox/aiortc.txt || rm -rf target/aiortc; }
	@test -n "$$(ls /usr/lib/postgresql/*/bin/initdb 2>/dev/null)" || { \
	  echo "Installing postgresql: look-ups are tested with it."; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq postgresql >/dev/null && \
	    { $(SUDO) systemctl disable --now --quiet postgresql 2>/dev/null || true; } || \
	    echo "There is no PostgreSQL here: its tests will be skipped."; }
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || { \
	  echo "Installing chromium and chromium-driver: the black-box tests call Cornetta with a real browser."; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium chromium-driver >/dev/null || \
	    echo "There is no Chromium here: its cases will be skipped."; }
	@command -v firefox-esr >/dev/null && command -v pulseaudio >/dev/null || { \
	  echo "Installing firefox-esr, and pulseaudio, to hear with it: the black-box tests call Cornetta with a second browser."; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends firefox-esr pulseaudio >/dev/null || \
	    echo "There is no Firefox here: its cases will be skipped."; }
	@command -v npm >/dev/null || { \
	  echo "Installing npm: it brings JsSIP and SIP.js, with which the black-box tests' pages speak SIP."; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq npm >/dev/null || \
	    echo "There is no npm here: the cases of JsSIP and SIP.js will be skipped."; }
	@test -f target/npm/pages.js || ! command -v npm >/dev/null || { \
	  echo "Installing JsSIP and SIP.js into target/npm: the black-box tests' pages speak SIP with them."; \
	  mkdir -p target/npm && cp tests/blackbox/npm/* target/npm/ && cd target/npm && \
	    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null && \
	    npx --no-install esbuild libraries.js --bundle --format=iife --log-level=error --outfile=pages.js || \
	    echo "They cannot be had: their cases will be skipped."; }
	@command -v turnserver >/dev/null || { \
	  echo "Installing coturn: the black-box tests' pages reach Cornetta by it."; \
	  $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq coturn >/dev/null && \
	    { $(SUDO) systemctl disable --now --quiet coturn 2>/dev/null || true; } || \
	    echo "There is no coturn here: its cases will be skipped."; }
	@test -d target/sipvicious || { \
	  echo "Installing SIPVicious into target/sipvicious: the black-box tests let it look for a way in."; \
	  python3 -m pip install --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
	    --target target/sipvicious -r tests/blackbox/sipvicious.txt; }

# The sound card's feature is checked too, and links ALSA.
needs-check: needs-build
	@pkg-config --exists alsa || { \
	  echo "Installing libasound2-dev: the phone's sound card feature is checked with it."; \
	  $(SUDO) apt-get update -qq && $(SUDO) apt-get install -y -qq libasound2-dev >/dev/null; }

needs-fuzz:
	@command -v cargo-fuzz >/dev/null || { \
	  echo "Installing cargo-fuzz: it builds and runs the fuzz targets."; \
	  $(CARGO) install --locked --quiet cargo-fuzz; }
