#!/usr/bin/env bash
# Boots systemd in a root folder, runs a command there as root, prints its output when it has ended,
# and exits with its status:
#
#	deploy/boot-root.sh ROOT COMMAND [ARGUMENT…]
#
# The command has the services of ROOT around it, under their real units, and a network of its own
# with only the loopback interface. It can reach nothing of this machine, and all of its processes
# are gone afterwards. What it writes to ROOT stays, except in /run and /tmp.
#
# Any Debian with the packages systemd-sysv and dbus can be ROOT:
#
#	mmdebstrap --variant=minbase --include=systemd-sysv,dbus bookworm ROOT
#
# Needs root, systemd-nspawn (Debian: systemd-container) and cgroup v2. systemd need not run on this
# machine. A command that takes longer than BOOT_SECONDS (300) is stopped.
set -euo pipefail

# in_own_mounts runs with a mount namespace of its own.
in_own_mounts() {
	local root=$1 scratch=$2 cgroup=$2/cgroup/boot-root-$$
	mount -t tmpfs -o mode=755 boot-root /run # systemd-nspawn accepts no /run on a disk
	mkdir "$scratch/cgroup"
	mount -t cgroup2 boot-root "$scratch/cgroup"
	mkdir "$cgroup"
	trap "find '$cgroup' -depth -type d -exec rmdir {} +" EXIT
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		exec unshare --mount --cgroup --pid --fork --kill-child --mount-proc "$0" --in-own-cgroup "$root" "$scratch"
	)
}

# in_own_cgroup has namespaces of its own for mounts, processes and cgroups.
in_own_cgroup() {
	mount -t cgroup2 boot-root /sys/fs/cgroup
	systemd-nspawn --quiet --boot --register=no --keep-unit --private-network --console=pipe \
		--resolv-conf=off --timezone=off --link-journal=no --directory="$1" \
		--bind="$2/command:/run/boot-root" \
		--bind-ro="$2/boot-root.service:/run/systemd/system/boot-root.service" \
		systemd.unit=boot-root.service </dev/null >&2
}

case ${1:-} in
--in-own-mounts | --in-own-cgroup)
	step=${1#--}
	shift
	"${step//-/_}" "$@"
	exit
	;;
esac

fail() { echo "boot-root.sh: $1" >&2; exit 2; }
[ $# -ge 2 ] || fail 'want ROOT COMMAND [ARGUMENT…]'
[ "$(id -u)" = 0 ] || fail 'needs root'
command -v systemd-nspawn >/dev/null || fail 'systemd-nspawn is not installed (Debian: apt-get install systemd-container)'
root=$(realpath "$1")
shift
[ -x "$root/sbin/init" ] || fail "$root has no /sbin/init (Debian: systemd-sysv)"

scratch=$(mktemp -d)
trap 'rm -rf --one-file-system "$scratch"' EXIT
mkdir "$scratch/command"
printf '%q ' exec "$@" >"$scratch/command/run"
cat >"$scratch/boot-root.service" <<'UNIT'
[Unit]
Description=The command of boot-root.sh
Requires=multi-user.target
After=multi-user.target
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
ExecStart=/bin/bash /run/boot-root/run
StandardOutput=append:/run/boot-root/output
StandardError=inherit
UNIT

status=0
timeout --kill-after=10 "${BOOT_SECONDS:-300}" unshare --mount --propagation private \
	"$0" --in-own-mounts "$root" "$scratch" || status=$?
cat "$scratch/command/output" || status=2
exit "$status"
