#!/usr/bin/env bash
# Installs the Debian packages of the programs, or files, that are missing. Arguments: PROGRAM=PACKAGE.
# Says what it installs before it does; does nothing when nothing is missing.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin" DEBIAN_FRONTEND=noninteractive

missing=()
for entry in "$@"; do
  program=${entry%%=*}
  command -v "$program" >/dev/null || [ -e "$program" ] || missing+=("$entry")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
  echo "Missing: ${missing[*]%%=*}. This is not Debian or Ubuntu, so install them yourself." >&2
  exit 1
}
as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -- "$@"; fi; }

echo "These programs are missing, and are installed now with apt-get (without starting their services):"
printf '  %s\n' "${missing[@]/=/ from package }"
as_root apt-get update -qq

packages=()
for entry in "${missing[@]}"; do
  package=${entry#*=}
  # Newer releases have Docker's client in a package of its own.
  if [ "${entry%%=*}" = docker ] && apt-cache show docker-cli >/dev/null 2>&1; then package=docker-cli; fi
  packages+=("$package")
done

# Packages of servers start them; tests start their own, on ports and in folders of their own.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
fi
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
