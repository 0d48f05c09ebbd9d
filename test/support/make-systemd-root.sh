#!/usr/bin/env bash
# Makes the root folder of a small Debian with systemd, for tests that boot one. Argument: the folder.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive

root=$1
[ ! -e "$root/usr/lib/systemd/systemd" ] || exit 0
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi; }

echo "Making a small Debian with systemd in $root/ for the tests of node setup (about 100 MB to fetch, a minute)"
as_root rm -rf "$root" "$root.new"
mkdir -p "$(dirname "$root")"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Under another name until it is whole.
if ! as_root debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus bookworm "$root.new" >"$log" 2>&1; then
  tail -n 20 "$log" >&2
  exit 1
fi
as_root rm -rf "$root.new"/var/cache/apt/archives/*.deb "$root.new"/var/lib/apt/lists/*
as_root mv "$root.new" "$root"
