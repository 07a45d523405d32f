#!/usr/bin/env bash
# What an operator does with the Debian package, in the clean Debian of deploy/try-deb.sh:
#
#	try-installed.sh container    where systemd does not run
#	try-installed.sh service      where it does, with Redis and nginx
#	try-installed.sh rebooted     after a restart of that machine
#
# /try has two packages under the names of docs/INSTALL.md, and the configurations of
# docs/SERVICE.md (nginx) and docs/REPLAY.md (Redis). The commands of docs/INSTALL.md are here,
# to the letter.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive
echo 'APT::Get::Assume-Yes "true"; APT::Sandbox::User "root";' >/etc/apt/apt.conf.d/try
cd /try
old=vepverify_1.2.0-1_amd64.deb new=vepverify_1.3.0-1_amd64.deb

fail() { echo "$*" >&2; exit 1; }

# expect TEXT COMMAND… fails unless the output of a command has the text.
expect() {
	local text=$1 output
	shift
	output=$("$@" 2>&1) || true
	[[ $output == *"$text"* ]] || fail "$*: want $text, got: $output"
}

# quietly runs a command, and prints its output if it fails.
quietly() { "$@" >/try/log 2>&1 || { cat /try/log; exit 1; }; }

install_old() { quietly apt-get install ./vepverify_1.2.0-1_amd64.deb; }
install_new() { quietly apt-get install ./vepverify_1.3.0-1_amd64.deb; }
go_back() { quietly apt-get install --allow-downgrades ./vepverify_1.2.0-1_amd64.deb; }

version_of() { dpkg-deb -f "$1" Version | sed 's/~/-/; s/-1$//; s/^/v/'; }

# listing prints the files that a package can leave behind.
listing() {
	find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /try \
		-o -path /var/lib/dpkg -o -path /var/lib/apt -o -path /var/log -o -path /var/cache \) -prune -o -print | sort
}

check_removal() {
	quietly apt-get remove vepverify
	[ ! -e /usr/bin/vepverify ] || fail 'remove leaves the program'
	grep -q '^VEPVERIFY_LOG_LEVEL=warn$' /etc/vepverify/vepverify.env || fail 'remove does not keep the settings'
	quietly apt-get purge vepverify
}

check_command() {
	expect "vepverify $(version_of $old) " vepverify version
	(
		cd /usr/share/doc/vepverify
		expect '"status":"okay","email":"alice@idp.example"' \
			vepverify testdata/sample/assertion.txt --audience https://rp.example --keys testdata/sample/keys.json --now 2026-01-01T00:00:00Z
	)
}

# check_pages: each command has a page, which man finds.
check_pages() {
	local page command pages=0
	for page in /usr/share/man/man1/vepverify-*.1.gz; do
		command=$(basename "$page" .1.gz)
		expect "$page" man -w "$command"
		vepverify help "${command#vepverify-}" >/dev/null
		pages=$((pages + 1))
	done
	[ "$pages" -ge 13 ] || fail "only $pages man pages"
	expect --replay man vepverify-serve
}

check_completions() {
	(. /usr/share/bash-completion/completions/vepverify && complete -p vepverify) >/dev/null
	[ -s /usr/share/zsh/vendor-completions/_vepverify ] || fail 'no completion for zsh'
	[ -s /usr/share/fish/vendor_completions.d/vepverify.fish ] || fail 'no completion for fish'
}

# check_in_container starts the service without systemd, as another user, with the settings
# of the file.
check_in_container() {
	local ready server
	mkfifo /try/stdout
	setpriv --reuid=nobody --clear-groups --no-new-privs --bounding-set=-all \
		env PORT=8080 $(grep -v '^#' /etc/vepverify/vepverify.env) vepverify serve >/try/stdout 2>/try/stderr &
	server=$!
	read -r -t 30 ready </try/stdout || { cat /try/stderr; exit 1; }
	expect OK curl -sS http://127.0.0.1:8080/status
	kill "$server"
	wait "$server" || fail "SIGTERM ended it with status $?: $ready"
}

container() {
	listing >before
	install_old
	check_command
	check_pages
	check_completions
	expect disabled systemctl is-enabled vepverify
	expect '640 root' stat -c '%a %U' /etc/vepverify/vepverify.env
	echo VEPVERIFY_LOG_LEVEL=warn >>/etc/vepverify/vepverify.env
	check_in_container
	install_new
	expect "vepverify $(version_of $new) " vepverify version
	go_back
	check_command
	check_removal
	listing >after
	diff before after || fail 'purge leaves files, or has removed others'
	echo 'without systemd: installed, upgraded, downgraded, removed'
}

# make_issuer makes an issuer and five people, as on other machines. One person cannot make
# two assertions in a millisecond: they would be equal.
make_issuer() {
	local person
	cp /usr/bin/vepverify /try/client
	/try/client keygen --out issuer.key --bundle idp.example >/etc/vepverify/keys.json
	chmod 644 /etc/vepverify/keys.json
	for person in ada 1 2 3 4; do
		/try/client certify --key issuer.key --issuer idp.example --email "$person@idp.example" --out "$person.json"
	done
}

# make_assertion PERSON prints an assertion of a person.
make_assertion() { /try/client assert --identity "/try/$1.json" --audience https://rp.example --duration 10m; }

# verify HOST FILE sends the assertion in a file, and prints the answer.
verify() { curl -sS "http://$1/verify" --data-urlencode "assertion=$(cat "$2")" -d audience=https://rp.example; }

# running UNIT prints the version of the program that runs there.
running() { "/proc/$(systemctl show -P MainPID "$1")/exe" version; }

# is_ready HOST fails unless an instance can verify now.
is_ready() { expect ok vepverify health "http://$1/readyz"; }

# become_ready HOST waits until an instance can verify.
become_ready() { curl -s -o /dev/null --fail --retry 30 --retry-delay 1 --retry-all-errors "http://$1/readyz" || fail "$1 does not become ready"; }

start_redis() {
	cat /try/redis.conf >>/etc/redis/redis.conf
	systemctl restart redis-server
}

start_nginx() {
	rm /etc/nginx/sites-enabled/default
	cp /try/nginx.conf /etc/nginx/conf.d/vepverify.conf
	systemctl restart nginx
}

# configure FILE ADDRESS writes the settings of an instance.
configure() {
	cat >>"$1" <<settings
VEPVERIFY_ADDRESS=$2
VEPVERIFY_REPLAY=redis://vepverify:change-me@redis.internal:6379
VEPVERIFY_KEYS=/etc/vepverify/keys.json
VEPVERIFY_UNDECIDED_STATUS=503
settings
}

# start_other starts an instance under a unit of its own, instead of a second machine.
start_other() {
	mkdir /etc/other
	configure /etc/other/vepverify.env 10.0.0.12
	sed 's|/etc/vepverify/vepverify.env|/etc/other/vepverify.env|' /usr/lib/systemd/system/vepverify.service >/etc/systemd/system/other.service
	systemctl daemon-reload
	systemctl start other
	is_ready 10.0.0.12:8080
}

# start_addresses gives this machine the addresses of both instances in docs/SERVICE.md.
start_addresses() {
	cat >/etc/systemd/system/addresses.service <<'unit'
[Unit]
Before=network-online.target nginx.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=ip address add 10.0.0.11/32 dev lo
ExecStart=ip address add 10.0.0.12/32 dev lo
[Install]
WantedBy=network-online.target
unit
	systemctl enable --quiet --now addresses
}

check_not_started() {
	expect inactive systemctl is-active vepverify
	expect disabled systemctl is-enabled vepverify
}

check_unit() {
	expect 'active (running)' systemctl status vepverify
	systemctl reload vepverify
	expect 'active (running)' systemctl status vepverify
	journalctl --sync
	expect '"msg":"configuration"' journalctl -u vepverify -o cat
	[ -z "$(journalctl | grep change-me)" ] || fail "the journal has the password of Redis"
	[ "$(stat -c %U "/proc/$(systemctl show -P MainPID vepverify)")" != root ] || fail 'the service is root'
}

# begin_load sends assertions to nginx, each once, until end_load.
begin_load() {
	mkdir -p /try/load
	for client in 1 2 3 4; do
		while [ -d /try/load ]; do
			make_assertion "$client" >"/try/assertion.$client"
			verify 127.0.0.1 "/try/assertion.$client" || true
			echo
		done >"/try/answers.$client" 2>&1 &
	done
	more_answers
}
answers() { cat /try/answers.* | grep -c . || true; }

# more_answers waits until the load has got forty more answers.
more_answers() {
	local enough=$(($(answers) + 40))
	until [ "$(answers)" -ge "$enough" ]; do sleep 0.1; done
}

# end_load fails if a request of the load was lost.
end_load() {
	more_answers
	rmdir /try/load
	wait
	[ -z "$(cat /try/answers.* | grep . | grep -v '"status":"okay"')" ] ||
		fail "$1: requests were lost: $(cat /try/answers.* | grep . | grep -v '"status":"okay"')"
	echo "$1: $(answers) requests, none lost"
	rm /try/answers.*
}

# take_away stops each instance while the other serves.
take_away() {
	begin_load
	systemctl stop vepverify
	more_answers
	systemctl start vepverify
	is_ready 10.0.0.11:8080
	systemctl stop other
	more_answers
	systemctl start other
	is_ready 10.0.0.12:8080
	end_load 'an instance is taken away'
}

# upgrade installs the new package under load: it restarts one instance, and then the other
# one is restarted.
upgrade() {
	begin_load
	install_new
	is_ready 10.0.0.11:8080
	expect "$(version_of $new)" running vepverify
	expect "$(version_of $old)" running other
	more_answers
	systemctl restart other
	is_ready 10.0.0.12:8080
	expect "$(version_of $new)" running other
	end_load 'upgrade'
}

used() { expect "$used_before" verify "$1" used; }
used_before='"status":"failure","reason":"the assertion was used before"'

# roll_back installs the old package while the service does not run. It stays stopped.
roll_back() {
	systemctl stop vepverify
	go_back
	expect inactive systemctl is-active vepverify
	systemctl start vepverify
	is_ready 10.0.0.11:8080
	expect "$(version_of $old)" running vepverify
}

service() {
	start_addresses
	start_redis
	start_nginx
	install_old
	check_not_started
	make_issuer
	configure /etc/vepverify/vepverify.env 10.0.0.11
	cp /etc/vepverify/vepverify.env settings
	quietly systemctl enable --now vepverify
	expect ok vepverify health http://10.0.0.11:8080/readyz
	start_other
	check_unit
	make_assertion ada >used
	expect '"status":"okay"' verify 10.0.0.11:8080 used
	used 10.0.0.11:8080
	used 10.0.0.12:8080
	take_away
	upgrade
	used 10.0.0.11:8080
	cmp settings /etc/vepverify/vepverify.env
	roll_back
	used 10.0.0.11:8080
	systemctl restart redis-server
	become_ready 10.0.0.11:8080
	used 10.0.0.11:8080
}

rebooted() {
	become_ready 10.0.0.11:8080
	used 10.0.0.11:8080
	expect enabled systemctl is-enabled vepverify
	echo VEPVERIFY_LOG_LEVEL=warn >>/etc/vepverify/vepverify.env
	rm -r /etc/vepverify/keys.json /etc/nginx/conf.d/vepverify.conf /etc/other
	check_removal
	expect 'could not be found' systemctl status vepverify
	left=$(find /etc /usr /var/lib -name '*vepverify*' -not -path '/var/lib/dpkg/*')
	[ -z "$left" ] || fail "purge leaves $left"
	echo 'with systemd: installed, upgraded, rolled back, rebooted, removed'
}

"$1"
