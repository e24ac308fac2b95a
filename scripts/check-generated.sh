#!/bin/sh
# Fails when a generated file is not what `make generate` writes from the contract as it is now. It compares with the
# files as they stand, committed or not, and puts them back.
set -eu
cd "$(dirname "$0")/.."

files=$(find api frontend/src pkg -name '*.gen.go' -o -name 'schema.d.ts')
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
for file in $files; do
  mkdir -p "$before/$(dirname "$file")"
  cp "$file" "$before/$file"
done
make --no-print-directory generate >/dev/null

stale=0
for file in $files; do
  if ! cmp -s "$before/$file" "$file"; then
    echo "not fresh (try: make generate): $file"
    cp "$before/$file" "$file"
    stale=1
  fi
done
exit "$stale"
