#!/usr/bin/env bash
# Prints the notes of a version, such as v1.2.0: its section of CHANGELOG.md. Fails if there
# is none, or if it is empty.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

notes=$(awk -v version="${1#v}" '
	/^## / { inside = $2 == version || $2 == "[" version "]"; next }
	inside' CHANGELOG.md)
[ -n "${notes//[[:space:]]/}" ] || { echo "CHANGELOG.md has no section \"## ${1#v}\"" >&2; exit 1; }
printf '%s\n' "$notes"
