#!/usr/bin/env bash
# Builds the image of deploy/Dockerfile, runs the service in it, and checks that it
# answers, names its commit, passes its health check, is not root, and stops on SIGTERM. Run it
# from anywhere.
#
# With a Docker daemon, docker builds and runs the image. Without one, and as root, the
# Dockerfile's own build command makes the binary, which runs alone in an empty root
# directory with the certificate authorities, as the image's user. Its health check runs there,
# too. Needs curl.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scratch=$(mktemp -d)
server=
container=
clean_up() {
	[ -z "$container" ] || docker rm -f "$container" >/dev/null
	[ -z "$server" ] || kill "$server" 2>/dev/null
	rm -rf "$scratch"
}
trap clean_up EXIT

# in_kubernetes is a variable that Kubernetes sets if there is a Service called vepverify.
in_kubernetes=VEPVERIFY_PORT=tcp://10.96.0.1:8080

# check_service asks the service on a port of this machine.
check_service() {
	[ "$(curl -sS --retry 20 --retry-connrefused --retry-delay 1 "http://127.0.0.1:$1/status")" = OK ] ||
		{ echo '/status is not OK'; return 1; }
	curl -sS "http://127.0.0.1:$1/__version__" | grep -Eq '"commit":"[0-9a-f]{40}"' ||
		{ echo '/__version__ names no commit'; return 1; }
}

# await_healthy waits until the image's health check has succeeded.
await_healthy() {
	local health
	for _ in $(seq 60); do
		health=$(docker inspect -f '{{.State.Health.Status}}' "$container")
		[ "$health" != healthy ] || return 0
		sleep 1
	done
	echo "the health check reports $health"
	return 1
}

try_docker() {
	local port status revision
	revision=$(git rev-parse HEAD)
	docker build -q -f deploy/Dockerfile -t vepverify-try --build-arg VERSION=try --build-arg "REVISION=$revision" .
	[ "$(docker inspect -f '{{index .Config.Labels "org.opencontainers.image.revision"}}' vepverify-try)" = "$revision" ] ||
		{ echo 'the label of the revision is another one'; return 1; }
	container=$(docker run -d -e "$in_kubernetes" -p 127.0.0.1::8080 vepverify-try)
	port=$(docker port "$container" 8080/tcp | sed 's/.*://')
	check_service "$port"
	await_healthy
	[ "$(docker inspect -f '{{.Config.User}}' "$container")" = nonroot ] || { echo 'runs as another user'; return 1; }
	docker stop -t 40 "$container" >/dev/null
	status=$(docker inspect -f '{{.State.ExitCode}}' "$container")
	[ "$status" = 0 ] || { echo "SIGTERM ended it with status $status"; return 1; }
}

# in_image replaces the shell by a command, which runs as the image's user and has only the image's files.
in_image() { exec env -i "${environment[@]}" "$(command -v chroot)" --userspec=65532:65532 "$scratch" "$@"; }

try_without_docker() {
	local build health ready port environment
	build=$(sed -n 's|^RUN \(CGO_ENABLED=0 go build .*\) -o /out/vepverify |\1 -o OUT |p' deploy/Dockerfile)
	[ -n "$build" ] || { echo 'deploy/Dockerfile has no build command'; return 1; }
	eval "${build/OUT/$scratch/vepverify}"

	mkdir -p "$scratch/etc/ssl/certs" "$scratch/tmp"
	cp -L /etc/ssl/certs/ca-certificates.crt "$scratch/etc/ssl/certs/"
	chmod 755 "$scratch"

	mkfifo "$scratch/stdout"
	read -r -d '' -a environment < <(sed -n 's/^ENV //p' deploy/Dockerfile) || true
	environment+=(PORT=0 "$in_kubernetes")
	(in_image /vepverify serve) >"$scratch/stdout" 2>"$scratch/stderr" &
	server=$!
	read -r -t 30 ready <"$scratch/stdout" || { cat "$scratch/stderr"; return 1; }
	port=$(sed -n 's|.*"url":"http://[^"]*:\([0-9]*\)".*|\1|p' <<<"$ready")
	check_service "$port"
	health=$(sed -n 's|^ *CMD \["/vepverify", "health", "\(.*\):8080"\]$|\1|p' deploy/Dockerfile)
	(in_image /vepverify health "$health:$port") >"$scratch/health" || { echo 'the health check fails'; return 1; }
	[ "$(ps -o uid= -p "$server" | tr -d ' ')" = 65532 ] || { echo 'runs as another user'; return 1; }
	kill -HUP "$server" # it reads its files again, and goes on
	[ "$(curl -sS "http://127.0.0.1:$port/status")" = OK ] || { echo 'SIGHUP ended it'; return 1; }
	kill -TERM "$server"
	wait "$server" || { echo "SIGTERM ended it with status $?"; return 1; }
	server=
}

if docker info >/dev/null 2>&1; then
	try_docker
	echo 'the image serves, passes its health check, as a user that is not root, and stops on SIGTERM (built by Docker)'
elif [ "$(id -u)" = 0 ]; then
	try_without_docker
	echo "the image's binary serves, passes its health check, alone, as a user that is not root, and stops on SIGTERM (without Docker)"
else
	echo 'the image was not tried: that needs a Docker daemon, or root'
	[ "${CI:-}" != true ]
fi
