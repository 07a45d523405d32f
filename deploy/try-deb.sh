#!/usr/bin/env bash
# Builds snapshots of a release, checks what they consist of, and installs, upgrades and
# removes the Debian package in a clean Debian. Run it from anywhere.
#
# What is committed is built: twice with the same version in two folders, which must have
# the same checksums, and once with a higher version, for the upgrade. The package is tried
# first where systemd does not run, as in a container, and then where it does.
# deploy/debian/try-installed.sh has what an operator does there.
#
# Needs root or sudo, and the Debian packages mmdebstrap, systemd-container, lintian, unzip and
# binutils.
# The clean Debian comes from the package registry that mmdebstrap uses by default.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

packages=ca-certificates,curl,dbus,iproute2,man-db,nginx-light,redis-server,systemd-sysv

fail() { echo "$*" >&2; exit 1; }

# as_root runs a command as root, with sudo if that needs no password.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

scratch=$(mktemp -d)
trap 'as_root rm -rf --one-file-system "$scratch"' EXIT
root=$scratch/root

# need ends the script if a program is missing: with success, except in CI.
need() {
	local program
	for program in "$@"; do
		command -v "$program" >/dev/null && continue
		echo "the release was not tried: $program is not installed"
		[ "${CI:-}" != true ]
		exit
	done
}

# build NAME CHECKOUT TAG builds the snapshot that follows a tag, in the folder NAME. The
# version and the commit do not depend on the tags and the remotes of this repository.
build() {
	local name=$1 checkout=$scratch/checkout-$2 tag=$3
	[ -d "$checkout" ] || git clone -q . "$checkout"
	echo "building the snapshot $name"
	(cd "$checkout" && GORELEASER_CURRENT_TAG=$tag "$scratch/goreleaser" release --snapshot --clean) \
		>"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
	mv "$checkout/dist" "$scratch/$name"
}

# version_of NAME prints the version of a snapshot.
version_of() { sed -n 's/.*"version":"\([^"]*\)".*/\1/p' "$scratch/$1/metadata.json"; }

# deb_of NAME ARCHITECTURE prints the path of a snapshot's package.
deb_of() {
	local version
	version=$(version_of "$1")
	echo "$scratch/$1/vepverify_${version/-/\~}-1_$2.deb"
}

check_checksums() {
	(cd "$scratch/old" && sha256sum --check --strict --quiet SHA256SUMS)
	[ "$(wc -l <"$scratch/old/SHA256SUMS")" = 8 ] || fail "SHA256SUMS does not have 6 archives and 2 packages: $(cat "$scratch/old/SHA256SUMS")"
	cmp "$scratch/old/SHA256SUMS" "$scratch/again/SHA256SUMS" || fail 'two builds of a commit have different checksums'
}

# check_archive OS ARCHITECTURE
check_archive() {
	local version name build folder=$scratch/archives suffix=
	version=$(version_of old)
	name=vepverify_${version}_$1_$2
	mkdir -p "$folder"
	if [ "$1" = windows ]; then
		suffix=.exe
		unzip -q "$scratch/old/$name.zip" -d "$folder"
	else
		tar -xzf "$scratch/old/$name.tar.gz" -C "$folder"
	fi
	for file in README.md CHANGELOG.md LICENSE man/vepverify.1 man/vepverify-serve.1 completions/vepverify.bash; do
		[ -s "$folder/$name/$file" ] || fail "$name has no $file"
	done
	build=$(go version -m "$folder/$name/vepverify$suffix")
	for setting in GOOS="$1" GOARCH="$2" CGO_ENABLED=0 -trimpath=true vcs.modified=false; do
		grep -q "build.$setting\$" <<<"$build" || fail "$name is not built with $setting: $build"
	done
	if [ "$1" = linux ] && readelf -l "$folder/$name/vepverify" | grep INTERP; then
		fail "$name is not static"
	fi
}

# check_stamp runs the binary of this machine.
check_stamp() {
	local version printed
	version=$(version_of old)
	printed=$("$scratch/archives/vepverify_${version}_linux_$architecture/vepverify" version)
	[[ $printed == "vepverify v$version $(git rev-parse HEAD) "* ]] || fail "the version is: $printed"
}

check_artifacts() {
	local os arch
	check_checksums
	for os in linux darwin windows; do
		for arch in amd64 arm64; do
			check_archive "$os" "$arch"
		done
	done
	check_stamp
	lintian --fail-on error,warning --allow-root "$(deb_of old amd64)" "$(deb_of old arm64)"
}

# block FILE LANGUAGE prints the first block of a language in a Markdown document.
block() { sed -n "/^\`\`\`$2\$/,/^\`\`\`\$/{/^\`\`\`$2/d;/^\`\`\`/q;p}" "docs/$1"; }

make_root() {
	mkdir "$scratch/try"
	cp deploy/debian/try-installed.sh "$scratch/try/"
	cp "$(deb_of old "$architecture")" "$scratch/try/vepverify_1.2.0-1_amd64.deb"
	cp "$(deb_of new "$architecture")" "$scratch/try/vepverify_1.3.0-1_amd64.deb"
	block SERVICE.md nginx >"$scratch/try/nginx.conf"
	block REPLAY.md conf >"$scratch/try/redis.conf"
	echo '127.0.0.1 localhost redis.internal' >"$scratch/hosts"
	chmod 755 "$scratch"
	as_root mmdebstrap --quiet --variant=minbase --include="$packages" bookworm "$root"
	as_root cp -r "$scratch/try" "$root/"
	as_root cp "$scratch/hosts" "$root/etc/hosts"
}

# without_systemd runs a part of try-installed.sh with processes and a network of its own.
without_systemd() {
	as_root unshare --mount --pid --net --fork --kill-child bash -euc '
		mount -t proc proc "$1/proc"
		ip link set lo up
		exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$1" /try/try-installed.sh "$2"' - "$root" "$1"
}

# with_systemd runs a part of try-installed.sh after systemd has started.
with_systemd() { as_root deploy/boot-root.sh "$root" /try/try-installed.sh "$1" 2>"$scratch/boot" || { cat "$scratch/boot"; exit 1; }; }

# check_document: the commands of the document are those that have run.
check_document() {
	local command missing=
	while read -r command; do
		grep -qF -- "$command" deploy/debian/try-installed.sh || missing+="$command"$'\n'
	done < <(sed -n '/^```console$/,/^```$/s/^# //p' docs/INSTALL.md)
	[ -z "$missing" ] || fail "commands of docs/INSTALL.md that are not in try-installed.sh:"$'\n'"$missing"
}

if ! as_root true 2>/dev/null; then
	echo 'the release was not tried: that needs root, or sudo without a password'
	[ "${CI:-}" != true ]
	exit
fi
need git go mmdebstrap systemd-nspawn lintian readelf unzip ip
architecture=$(go env GOHOSTARCH)
[ -z "$(git status --porcelain)" ] || echo 'note: what is not committed is not built'

check_document
go build -C tools/release -o "$scratch/goreleaser" github.com/goreleaser/goreleaser/v2
"$scratch/goreleaser" check -q
build old one v0.0.1
build again two v0.0.1
build new one v0.0.2
check_artifacts
make_root
without_systemd container
with_systemd service
with_systemd rebooted
echo 'a release can be built, installed, upgraded and removed, and loses nothing'
