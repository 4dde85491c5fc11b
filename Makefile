# Two commands on a fresh machine (Rust, a C++ compiler, python3 with pip): make demo, make test.

PREFIX ?= /usr/local
SYSCONFDIR ?= $(PREFIX)/etc
CARGO ?= cargo
PYTHON ?= python3
# Who answers for a package that is built here.
MAINTAINER ?= kellgrend <root@localhost>
BINARY = target/release/kellgrend
DECODER = target/release/kellgrend-decode
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
EXTENSION = .libtorch/torch/lib/libkellgrend_cuda.so

# What README.md and the documents link to beside each other, installed at the same places.
LINKED = ARCHITECTURE.md benches/README.md benches/peer.py benches/side_by_side.py benches/train_peer.py config/kellgrend.toml models/starter/MODEL_CARD.md src/outbox/result.schema.json

# How long `make fuzz` takes for each target.
FUZZ_SECONDS ?= 60

.PHONY: demo test build lint fuzz side-by-side libtorch libtorch-cuda extension install deb clean

# See it work. FOLDER=... takes your own radiographs instead of synthetic ones.
demo: build
	$(BINARY) demo --state demo $(if $(FOLDER),"$(FOLDER)")

# The tests run on the release build: most of what is compiled serves both commands.
test: libtorch
	$(CARGO) test --release

# Where the extension has been compiled once, it goes with the program.
build: libtorch $(if $(wildcard $(EXTENSION)),extension)
	$(CARGO) build --release

lint: libtorch extension
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

# Each reader of outside bytes against libFuzzer, from seeds that the tests write: fuzz/README.md.
fuzz: libtorch
	$(CARGO) test --release --test it -- --ignored --exact mutations::seeds_for_fuzzing
	RUSTC_WORKSPACE_WRAPPER=$(CURDIR)/fuzz/instrument $(CARGO) build --release --package kellgrend-fuzz
	fuzz/run $(FUZZ_SECONDS)

# kellgrend and torchvision in turns; PYTHON=... names a Python that has torch and torchvision.
side-by-side: build
	$(PYTHON) benches/side_by_side.py $(OPTIONS)

# libtorch for the CPU, fetched once into .libtorch/ and checked by hash; cargo finds it there.
libtorch:
	@$(PYTHON) libtorch/fetch.py cpu .libtorch

# What a GPU needs besides (2.5 GB to fetch, 6 GB on disk). The same binary then uses it.
libtorch-cuda: extension
	@$(PYTHON) libtorch/fetch.py cuda .libtorch

# kellgrend's own extension of libtorch's GPU half; it needs no GPU and no CUDA toolkit to be compiled.
extension: $(EXTENSION)

$(EXTENSION): libtorch/kellgrend_cuda.cpp libtorch/cpu.txt | libtorch
	$(CXX) -std=c++17 -O2 -fPIC -shared -fvisibility=hidden -Wall -Wextra -Werror \
		-isystem .libtorch/torch/include -isystem .libtorch/nvidia/cu13/include -o $@ $<

# Programs, libraries, settings and units below PREFIX; the installed binary needs no environment variables. What `make build` has built
# is installed: root may have no cargo.
install:
	test -x $(BINARY) -a -x $(DECODER) || $(MAKE) build
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/kellgrend/torch/lib $(DESTDIR)$(PREFIX)/lib/systemd/system \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d $(DESTDIR)$(PREFIX)/lib/tmpfiles.d $(DESTDIR)$(PREFIX)/share/doc/kellgrend/docs \
		$(DESTDIR)$(SYSCONFDIR)/kellgrend $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/kellgrend
	install -m 755 $(DECODER) $(DESTDIR)$(PREFIX)/lib/kellgrend/kellgrend-decode
	cp -a --no-preserve=ownership --remove-destination .libtorch/torch/lib/. $(DESTDIR)$(PREFIX)/lib/kellgrend/torch/lib/
	cp -a --no-preserve=ownership --remove-destination .libtorch/nvidia $(DESTDIR)$(PREFIX)/lib/kellgrend/
	rm -rf $(DESTDIR)$(PREFIX)/lib/kellgrend/nvidia/*/include
	test -e $(DESTDIR)$(SYSCONFDIR)/kellgrend/kellgrend.toml || \
		install -m 644 config/kellgrend.toml $(DESTDIR)$(SYSCONFDIR)/kellgrend/kellgrend.toml
	for unit in kellgrend.service kellgrend-archive@.service kellgrend-archive@.timer; do \
		sed 's|@PREFIX@|$(PREFIX)|g' systemd/$$unit > $(DESTDIR)$(PREFIX)/lib/systemd/system/$$unit; done
	install -m 644 systemd/sysusers.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d/kellgrend.conf
	install -m 644 systemd/tmpfiles.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d/kellgrend.conf
	install -m 644 README.md CHANGELOG.md SECURITY.md LICENSE systemd/journald@kellgrend.conf $(DESTDIR)$(PREFIX)/share/doc/kellgrend
	install -m 644 docs/* $(DESTDIR)$(PREFIX)/share/doc/kellgrend/docs
	for file in $(LINKED); do install -D -m 644 $$file $(DESTDIR)$(PREFIX)/share/doc/kellgrend/$$file || exit 1; done
	$(BINARY) man $(DESTDIR)$(PREFIX)/share/man/man1
	$(BINARY) completions bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/kellgrend

# kellgrend_VERSION_amd64.deb in target/, with libtorch as it is in .libtorch; needs dpkg-dev and patchelf.
deb: build
	rm -rf target/deb
	$(MAKE) install DESTDIR=$(CURDIR)/target/deb PREFIX=/usr SYSCONFDIR=/etc
	packaging/deb.sh target/deb $(VERSION) "$(MAINTAINER)" target

clean:
	$(CARGO) clean
	rm -rf demo
