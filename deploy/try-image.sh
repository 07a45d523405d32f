#!/usr/bin/env bash
# Does without Docker what deploy/Dockerfile does, as far as that can be done:
# builds by the Dockerfile's own command, puts the result where there is nothing
# else but certificate authorities, and runs it there as a user that is not
# root. Needs root (chroot) and curl; run it from anywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

root=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$root"' EXIT

build=$(sed -n 's|^RUN \(CGO_ENABLED=0 go build .*\) -o /out/vepverify |\1 -o OUT |p' deploy/Dockerfile)
[ -n "$build" ] || { echo 'deploy/Dockerfile has no build command'; exit 1; }
eval "${build/OUT/$root/vepverify}"

mkdir -p "$root/etc/ssl/certs" "$root/tmp"
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
chmod 755 "$root"

mkfifo "$root/stdout"
env -i $(sed -n 's/^ENV //p' deploy/Dockerfile) PORT=0 \
	"$(command -v chroot)" --userspec=65532:65532 "$root" /vepverify serve >"$root/stdout" 2>"$root/stderr" &
server=$!
read -r -t 30 ready <"$root/stdout" || { cat "$root/stderr"; exit 1; }
port=$(sed -n 's|.*"url":"http://[^"]*:\([0-9]*\)".*|\1|p' <<<"$ready")

[ "$(curl -sS "http://127.0.0.1:$port/status")" = OK ] || { echo '/status is not OK'; exit 1; }
curl -sS "http://127.0.0.1:$port/__version__" | grep -Eq '"commit":"[0-9a-f]{40}"' || { echo '/__version__ names no commit'; exit 1; }
[ "$(ps -o uid= -p "$server" | tr -d ' ')" = 65532 ] || { echo 'runs as another user'; exit 1; }
kill -TERM "$server"
wait "$server" || { echo "SIGTERM ended it with status $?"; exit 1; }
server=
echo "the image's binary serves, alone, as a user that is not root, and stops when told"
