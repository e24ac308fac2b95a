#!/bin/sh
# The whole way with the real program, seen from outside: starts `orq all` on an empty folder, registers, creates a
# workflow that runs every two seconds and whose HTTP step succeeds at the third attempt, and looks at what came of
# it. Needs bin/orq (make build), curl and node.
set -eu
cd "$(dirname "$0")/.."

dir=$(mktemp -d)
chmod 711 "$dir" # as root, the database runs as another user
orq=
sink=
finish() {
  status=$?
  if [ -n "$sink" ]; then kill "$sink" 2>/dev/null || true; fi
  if [ -n "$orq" ] && kill "$orq" 2>/dev/null; then wait "$orq" || true; fi
  if [ "$status" -ne 0 ]; then echo "--- the program's last words"; tail -n 40 "$dir/log" 2>/dev/null || true; fi
  rm -rf "$dir"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

fail() { echo "smoke: FAILED: $*"; exit 1; }
ok() { echo "smoke: $*"; }
# field EXPRESSION: a value of the JSON on standard input, which the expression calls d.
field() { node -e 'const d = JSON.parse(require("fs").readFileSync(0)); console.log(eval(process.argv[1]))' "$1"; }
# until_ok SECONDS WHAT COMMAND...: repeats the command until it succeeds.
until_ok() {
  left=$(($1 * 5))
  what=$2
  shift 2
  until "$@"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || fail "not in time: $what"
    sleep 0.2
  done
}
# status PATH [CURL ARGUMENTS]: the HTTP status of a GET.
status() {
  path=$1
  shift
  curl --silent --output /dev/null --write-out '%{http_code}' "$@" "$url$path"
}
# call METHOD PATH [JSON]: the answer of an API call that has to succeed.
call() {
  curl --silent --show-error --fail-with-body --request "$1" --header "Authorization: Bearer ${token:-}" \
    --header 'Content-Type: application/json' ${3:+--data "$3"} "$url/api/v1$2"
}

node scripts/smoke-sink.mjs >"$dir/sink" &
sink=$!
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
url=http://127.0.0.1:$port
# A private address is refused unless it is allowed; the rest is what a first start uses.
ORQ_LISTEN=127.0.0.1:$port ORQ_DATA_DIR=$dir/data ORQ_EGRESS_ALLOW=127.0.0.1/32 bin/orq all >"$dir/log" 2>&1 &
orq=$!
ready() {
  kill -0 "$orq" 2>/dev/null || fail 'the program ended'
  [ "$(status /readyz)" = 200 ]
}
until_ok 120 'ready' ready
ok "ready at $url"

credentials='"email":"ana@example.com","password":"a long enough password"'
call POST /auth/register "{$credentials,\"username\":\"ana\"}" >"$dir/out" || fail "register: $(cat "$dir/out")"
[ "$(field d.role <"$dir/out")" = administrator ] || fail 'the first user is not administrator'
call POST /auth/login "{$credentials}" >"$dir/out" || fail "login: $(cat "$dir/out")"
token=$(field d.access_token <"$dir/out")
ok 'registered and logged in; the first user is administrator'

definition=$(cat <<JSON
{"name": "Smoke", "description": "Fetches and notes",
 "triggers": [{"id": "tick", "type": "schedule", "cron": "*/2 * * * * *", "timezone": "UTC", "overlap": "skip"}],
 "steps": [
  {"id": "fetch", "action": "http_endpoint", "config": {"method": "GET", "url": "http://127.0.0.1:$(cat "$dir/sink")/rate"},
   "retry": {"attempts": 3, "backoff": "fixed", "initial": "100ms", "on": ["5xx"]}, "timeout": "5s"},
  {"id": "note", "action": "log_message", "depends_on": ["fetch"],
   "config": {"message": "1 EUR = {{ steps.fetch.body.rate }} {{ steps.fetch.body.currency }}", "level": "info"}}
 ]}
JSON
)
call POST /workflows "$definition" >"$dir/out" || fail "create: $(cat "$dir/out")"
workflow=$(field d.id <"$dir/out")
ok "created the workflow $workflow"

succeeded() {
  call GET "/runs?workflow_id=$workflow&status=succeeded" >"$dir/runs" || fail "runs: $(cat "$dir/runs")"
  [ "$(field d.items.length <"$dir/runs")" -ge 4 ]
}
until_ok 15 'four runs succeeded' succeeded
call POST "/workflows/$workflow/disable" >/dev/null || fail 'disable'
ok "$(field d.items.length <"$dir/runs") runs succeeded"

curl --silent "http://127.0.0.1:$(cat "$dir/sink")/seen" >"$dir/seen"
for run in $(field 'd.items.map((r) => r.id).join(" ")' <"$dir/runs"); do
  call GET "/runs/$run" >"$dir/out" || fail "run: $(cat "$dir/out")"
  attempts=$(field 'd.steps.find((s) => s.id === "fetch").attempts.map((a) => a.status).join(" ")' <"$dir/out")
  [ "$attempts" = 'failed failed succeeded' ] || fail "the attempts of $run are: $attempts"
  call GET "/runs/$run/logs" >"$dir/out" || fail "logs: $(cat "$dir/out")"
  grep -q '1 EUR = 1.0842 USD' "$dir/out" || fail "the logs of $run lack the message: $(cat "$dir/out")"
  [ "$(field "Object.entries(d).filter(([k, n]) => k.includes('$run') && n === 3).length" <"$dir/seen")" = 1 ] ||
    fail "the server saw other keys for $run: $(cat "$dir/seen")"
done
ok 'each had three attempts under one Idempotency-Key, and logged what it fetched'

call GET "/workflows/$workflow/occurrences?limit=200" >"$dir/out" || fail "occurrences: $(cat "$dir/out")"
[ "$(field 'd.items.length - new Set(d.items.map((o) => o.fire_at)).size' <"$dir/out")" = 0 ] || fail 'a fire stands twice in the ledger'
for run in $(field 'd.items.map((r) => r.id).join(" ")' <"$dir/runs"); do
  [ "$(field "d.items.filter((o) => o.run_id === '$run').length" <"$dir/out")" = 1 ] || fail "$run is not in the ledger once"
done
ok 'the ledger has one row per fire'

call POST /auth/register '{"email":"bo@example.com","username":"bo","password":"another long password"}' >/dev/null || fail 'register bo'
other=$(call POST /auth/login '{"email":"bo@example.com","password":"another long password"}' | field d.access_token)
[ "$(status /monitoring/ --header "Authorization: Bearer $token")" = 200 ] || fail 'the monitor refuses the administrator'
[ "$(status /monitoring/api/queues --header "Authorization: Bearer $token")" = 200 ] || fail "the monitor's API refuses the administrator"
for refused in "$(status /monitoring/ --header "Authorization: Bearer $other")" "$(status /monitoring/api/queues --header "Authorization: Bearer $other")"; do
  case $refused in 403 | 404) ;; *) fail "the monitor answers another user $refused" ;; esac
done
case $(status /monitoring/api/queues) in 401 | 403) ;; *) fail 'the monitor answers nobody in particular' ;; esac
ok 'the queue monitor answers the administrator and refuses everybody else'

kill -INT "$orq"
wait "$orq" || fail "the program ended with status $?"
orq=
ok 'stopped in good order: passed'
