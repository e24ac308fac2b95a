#!/bin/sh
# Looks for input that breaks a decoder or parser: every fuzz target of the tree, one after the other, for TIME each (a
# minute). What a target finds stays under testdata/fuzz beside it, to be committed with its cure. ONLY=Name takes those
# targets whose name contains it.
set -eu
cd "$(dirname "$0")/.."

time=${TIME:-60s}
failed=0
count=0
list=$(mktemp)
trap 'rm -f "$list"' EXIT
grep -rEo --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' . | sort >"$list"
while IFS=: read -r file declaration; do
  target=${declaration#func }
  case $target in *"${ONLY:-}"*) ;; *) continue ;; esac
  count=$((count + 1))
  if out=$(go test "$(dirname "$file")" -run '^$' -fuzz "^$target\$" -fuzztime "$time" 2>&1); then
    printf '%-28s %s\n' "$target" "$(printf '%s\n' "$out" | grep 'execs:' | tail -n 1 | sed 's/^fuzz: //')"
  else
    failed=$((failed + 1))
    printf '%-28s FOUND\n%s\n' "$target" "$out"
  fi
done <"$list"
echo "$count targets for $time each: $failed found something"
[ "$failed" -eq 0 ]
