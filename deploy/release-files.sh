#!/usr/bin/env bash
# Writes the files of a release that are made from the source, apart from the binary, to the
# folder build: man pages, completions, and the Debian package's changelogs. goreleaser runs
# it, with the version and the time of the commit in seconds since 1970.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
version=$1 time=$2

rm -rf build
mkdir -p build/man build/completions

go run ./cmd/vepverify/internal/manual build/man
for shell in bash zsh fish; do
	go run ./cmd/vepverify completion "$shell" >"build/completions/vepverify.$shell"
done

# Debian wants man pages and changelogs compressed, without a time in them.
for page in build/man/*.1; do
	gzip -9n <"$page" >"$page.gz"
done
gzip -9n <CHANGELOG.md >build/changelog.gz
gzip -9n >build/changelog.Debian.gz <<changelog
vepverify (${version/-/\~}-1) unstable; urgency=medium

  * The changes of vepverify are in changelog.gz.

 -- vepverify maintainers <vepverify@users.noreply.github.com>  $(LC_ALL=C date -u -R -d "@$time")
changelog
