#!/usr/bin/env bash
# Runs the service under its unit, in a new Debian with systemd and Redis, and checks what the unit
# and its drop-ins promise. Run it from anywhere, as root. Needs Go, mmdebstrap and what boot-root.sh
# needs. With an argument, it uses the Debian in that folder instead of a new one.
set -euo pipefail

# step runs a function and prints its name if it succeeds.
step() {
	"$1"
	echo "ok: ${1//_/ }"
}

fail() {
	echo "failed: $1"
	journalctl --no-pager --lines=20 --unit=vepverify
	exit 1
}

# expect compares what a check has found with what it wants.
expect() { [ "$2" = "$3" ] || fail "$1: \"$2\", want \"$3\""; }

# settings writes the settings of the service, and starts it with them. It answers at once.
settings() {
	printf '%s\n' VEPVERIFY_METRICS_ADDRESS=127.0.0.1:8081 VEPVERIFY_KEYS=/etc/vepverify/keys.json "$@" >/etc/vepverify/vepverify.env
	systemctl restart vepverify
	answers http://127.0.0.1:8081/metrics
}

drop_in() {
	mkdir -p /etc/systemd/system/vepverify.service.d
	cp "/root/drop-ins/$1" /etc/systemd/system/vepverify.service.d/
	systemctl daemon-reload
}

no_drop_in() {
	rm -rf /etc/systemd/system/vepverify.service.d
	systemctl daemon-reload
}

# answers fails unless a URL answers now.
answers() { curl -sS --max-time 30 -o /dev/null "$1" || fail "no answer from $1"; }

wait_for_url() { curl -ks --retry 50 --retry-all-errors --retry-delay 1 --max-time 30 -o /dev/null "$1" || fail "no answer from $1"; }

property() { systemctl show -P "$1" vepverify; }

# logged reports whether a line of the service since a time, in seconds since 1970, has a text.
logged() { grep -qF -- "$2" <<<"$(journalctl --unit=vepverify --output=cat --since="@$1")"; }

# assertion prints a new assertion of ada@DOMAIN.
assertion() { vepverify assert --identity "/tmp/$1.json" --audience https://rp.example; }

issuer() {
	vepverify keygen --out "/tmp/$1.key" --bundle "$1" >"/tmp/$1.bundle"
	vepverify certify --key "/tmp/$1.key" --issuer "$1" --email "ada@$1" --out "/tmp/$1.json"
}

trust() {
	cp "/tmp/$1.bundle" /etc/vepverify/keys.json.new
	chmod 644 /etc/vepverify/keys.json.new
	mv /etc/vepverify/keys.json.new /etc/vepverify/keys.json
}

# verify prints the answer about an assertion.
verify() {
	curl -ksS -H 'Content-Type: application/json' -d "{\"assertion\":\"$1\",\"audience\":\"https://rp.example\"}" "${2:-http://127.0.0.1:8080}/v2" |
		grep -o '"status":"[a-z]*"\|"undecided":true' | tail -n 1
}

okay='"status":"okay"' failure='"status":"failure"' undecided='"undecided":true'

# open_files prints how many files a process may have open at most. In a container without
# CAP_SYS_RESOURCE, systemd cannot raise it over its own.
open_files() { awk '/^Max open files/ {print $5}' "/proc/$1/limits"; }

least() { printf '%s\n' "$@" | sort -n | head -n 1; }

# The steps.

starts_on_port_8080_of_this_machine_without_settings() {
	systemctl start vepverify
	expect 'health when systemctl start has returned' "$(vepverify health http://127.0.0.1:8080)" ok
	systemctl stop vepverify
	expect 'result of a stop' "$(property Result)" success
}

verifies() {
	settings
	expect 'a good assertion' "$(verify "$(assertion one.example)")" "$okay"
	expect 'another issuer' "$(verify "$(assertion two.example)")" "$undecided"
}

runs_as_a_user_of_its_own_without_privileges() {
	local pid
	pid=$(property MainPID)
	[ "$(stat -c %u "/proc/$pid")" -ge 61184 ] || fail "runs as user $(stat -c %u "/proc/$pid")"
	expect capabilities "$(grep -c '^Cap...:.0000000000000000$' "/proc/$pid/status")" 5
	expect seccomp "$(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")" 2
	expect 'file descriptors' "$(open_files "$pid")" "$(least 65536 "$(open_files 1)")"
	expect 'user namespace' "$([ "$(readlink "/proc/$pid/ns/user")" = "$(readlink /proc/1/ns/user)" ] && echo shared)" ''
}

has_all_metrics_of_the_process() {
	local metrics
	metrics=$(curl -sS http://127.0.0.1:8081/metrics)
	for name in process_start_time_seconds process_open_fds process_max_fds process_resident_memory_bytes; do
		grep -q "^$name " <<<"$metrics" || fail "no metric $name"
	done
}

has_the_queue_of_connections_of_the_kernel() {
	expect 'length of the queue' "$(ss -Hltn 'sport = :8080' | awk '{print $3}')" "$(cat /proc/sys/net/core/somaxconn)"
}

reload_reads_the_keys_again() {
	local pid
	pid=$(property MainPID)
	trust two.example
	systemctl reload vepverify
	for _ in $(seq 300); do
		[ "$(verify "$(assertion two.example)")" != "$okay" ] || break
		sleep 0.1
	done
	expect 'a new issuer' "$(verify "$(assertion two.example)")" "$okay"
	expect 'process after a reload' "$(property MainPID)" "$pid"
	trust one.example
}

is_started_again_after_it_was_killed() {
	local pid
	pid=$(property MainPID)
	kill -KILL "$pid"
	wait_for_url http://127.0.0.1:8080/status
	[ "$(property MainPID)" != "$pid" ] || fail 'has the same process'
}

# A request is sent in two halves, and the service is stopped between them.
finishes_requests_when_it_is_stopped() {
	local body line stopping began
	body="{\"assertion\":\"$(assertion one.example)\",\"audience\":\"https://rp.example\"}"
	exec 3<>/dev/tcp/127.0.0.1/8080
	printf 'POST /v2 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n' "${#body}" >&3
	read -r line <&3
	expect 'the first line' "${line%$'\r'}" 'HTTP/1.1 100 Continue'
	sleep 1 # what earlier steps have logged is then older
	began=$(date +%s)
	systemctl stop vepverify &
	stopping=$!
	until logged "$began" '"msg":"stopping'; do sleep 0.1; done
	printf '%s' "$body" >&3
	grep -q "$okay" <&3 || fail 'the request was cut off'
	exec 3>&-
	wait "$stopping"
	expect 'result of a stop' "$(property Result) $(property ExecMainStatus)" 'success 0'
}

# The unit allows less time than the delay.
stops_after_the_shutdown_delay() {
	mkdir -p /etc/systemd/system/vepverify.service.d
	printf '[Service]\nTimeoutStopSec=1s\n' >/etc/systemd/system/vepverify.service.d/short.conf
	systemctl daemon-reload
	settings VEPVERIFY_SHUTDOWN_DELAY=3s
	systemctl stop vepverify
	expect 'result of a stop' "$(property Result) $(property ExecMainStatus)" 'success 0'
	no_drop_in
}

accepts_once_with_redis() {
	settings "VEPVERIFY_REPLAY=redis://127.0.0.1:6379"
	accepts_once
	systemctl stop redis-server
	expect 'without Redis' "$(verify "$(assertion one.example)")" "$undecided"
	systemctl start redis-server
	for _ in $(seq 300); do
		[ "$(verify "$(assertion one.example)")" != "$okay" ] || return 0
		sleep 0.1
	done
	fail 'Redis is back, and the service is still undecided'
}

accepts_once() {
	local used
	used=$(assertion one.example)
	expect 'first use' "$(verify "$used")" "$okay"
	expect 'second use' "$(verify "$used")" "$failure"
}

drop_in_redis_socket() {
	printf '%s\n' 'unixsocket /run/redis/redis-server.sock' 'unixsocketperm 770' >>/etc/redis/redis.conf
	systemctl restart redis-server
	settings VEPVERIFY_REPLAY=unix:///run/redis/redis-server.sock
	expect 'without the drop-in' "$(verify "$(assertion one.example)")" "$undecided"
	drop_in redis-socket.conf
	settings VEPVERIFY_REPLAY=unix:///run/redis/redis-server.sock
	accepts_once
	no_drop_in
}

certificate() {
	openssl req -x509 -newkey ed25519 -nodes -days 30 -subj "/CN=$1" -addext "subjectAltName=DNS:$1" \
		-keyout /etc/vepverify/tls.key.new -out /etc/vepverify/tls.crt 2>/dev/null
	chown root:ssl-cert /etc/vepverify/tls.key.new
	chmod 640 /etc/vepverify/tls.key.new
	mv /etc/vepverify/tls.key.new /etc/vepverify/tls.key
}

served_name() { openssl s_client -connect "127.0.0.1:$1" </dev/null 2>/dev/null | sed -n 's/^subject=CN = //p'; }

drop_ins_tls_and_low_port() {
	getent group ssl-cert >/dev/null || groupadd --system ssl-cert
	certificate one.example
	drop_in tls.conf
	drop_in low-port.conf
	settings VEPVERIFY_TLS_CERT=/etc/vepverify/tls.crt VEPVERIFY_TLS_KEY=/etc/vepverify/tls.key VEPVERIFY_PORT=443
	expect 'over TLS' "$(verify "$(assertion one.example)" https://127.0.0.1)" "$okay"
	expect certificate "$(served_name 443)" one.example
	certificate two.example
	systemctl reload vepverify
	for _ in $(seq 300); do
		[ "$(served_name 443)" != two.example ] || break
		sleep 0.1
	done
	expect 'renewed certificate' "$(served_name 443)" two.example
	expect capabilities "$(awk '/^CapEff:/ {print $2}' "/proc/$(property MainPID)/status")" 0000000000000400
	no_drop_in
}

drop_ins_offline_and_memory() {
	drop_in offline.conf
	drop_in memory.conf
	settings
	expect 'a good assertion' "$(verify "$(assertion one.example)")" "$okay"
	expect 'allowed addresses' "$(property IPAddressAllow | tr ' ' '\n' | sort | xargs)" '127.0.0.0/8 ::1/128'
	expect 'most memory' "$(property MemoryMax)" 1073741824
	no_drop_in
}

does_not_start_with_a_wrong_setting_and_says_why() {
	local began
	settings
	began=$(date +%s)
	printf 'VEPVERIFY_PORT=http\n' >/etc/vepverify/vepverify.env
	! systemctl restart vepverify 2>/dev/null || fail 'systemctl restart succeeds with a wrong setting'
	grep -q VEPVERIFY_PORT <<<"$(property StatusText)" || fail 'systemctl status does not name the wrong setting'
	for _ in $(seq 300); do
		! logged "$began" VEPVERIFY_PORT || return 0
		sleep 0.1
	done
	fail 'the journal does not name the wrong setting'
}

in_root() {
	no_drop_in
	mkdir -p /etc/vepverify
	rm -f /etc/vepverify/vepverify.env
	issuer one.example
	issuer two.example
	trust one.example
	step starts_on_port_8080_of_this_machine_without_settings
	step verifies
	step runs_as_a_user_of_its_own_without_privileges
	step has_all_metrics_of_the_process
	step has_the_queue_of_connections_of_the_kernel
	step reload_reads_the_keys_again
	step is_started_again_after_it_was_killed
	step finishes_requests_when_it_is_stopped
	step stops_after_the_shutdown_delay
	step accepts_once_with_redis
	step drop_in_redis_socket
	step drop_ins_tls_and_low_port
	step drop_ins_offline_and_memory
	step does_not_start_with_a_wrong_setting_and_says_why
}

if [ "${1:-}" = --in-root ]; then
	in_root
	exit
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
root=${1:-$scratch/root}
[ -d "$root" ] || mmdebstrap --quiet --variant=minbase --include=systemd-sysv,dbus,redis-server,curl,openssl,iproute2 bookworm "$root"
CGO_ENABLED=0 go build -trimpath -o "$root/usr/bin/vepverify" ./cmd/vepverify
install -m 644 deploy/systemd/vepverify.service "$root/usr/lib/systemd/system/"
mkdir -p "$root/root/drop-ins"
install -m 644 deploy/systemd/drop-ins/*.conf "$root/root/drop-ins/"
install -m 755 deploy/try-unit.sh "$root/root/"
deploy/boot-root.sh "$root" /root/try-unit.sh --in-root
