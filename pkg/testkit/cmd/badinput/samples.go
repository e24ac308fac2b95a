package main

// samples are good bodies for every operation that takes one, several where there are kinds. Each member of them is replaced
// by everything that hostile knows. $name stands for what settle made. An operation of the contract without a sample fails the
// command.
var samples = map[string][]string{
	"register":             {`{"email": "new@example.org", "username": "new", "password": "a password nobody uses", "invitation": "x"}`},
	"login":                {`{"email": "nobody@example.org", "password": "a password nobody uses"}`},
	"createToken":          {`{"name": "ci", "scopes": ["run.read", "run.start"], "project_id": "$project", "expires_in_days": 30}`},
	"changePassword":       {`{"current_password": "this is not the password", "password": "another password nobody uses"}`},
	"forgotPassword":       {`{"email": "nobody@example.org"}`},
	"resetPassword":        {`{"token": "orqreset", "password": "another password nobody uses"}`},
	"createProject":        {`{"name": "Another"}`},
	"renameProject":        {`{"name": "Renamed"}`},
	"changeMember":         {`{"role": "viewer"}`},
	"inviteToProject":      {`{"role": "viewer", "email": "guest@example.org"}`},
	"inviteToInstallation": {`{"email": "guest@example.org"}`},
	"lookAtInvitation":     {`{"token": "x"}`},
	"acceptInvitation":     {`{"token": "x"}`},
	"appointUser":          {`{"role": "member"}`},

	"startSSO":       {`{"next": "/runs", "invitation": "x"}`},
	"finishSSO":      {`{"state": "x", "code": "y"}`},
	"linkIdentity":   {`{"provider": "oidc", "password": "this is not the password"}`},
	"unlinkIdentity": {`{"password": "this is not the password"}`},
	"setQuota":       {`{"workflows": 100000, "runs_per_minute": 100000, "concurrent_runs": 1000, "storage": 1000000000000}`},
	"restrictEgress": {`{"only": ["api.example.com", "*.example.com", "203.0.113.0/24"]}`},
	"allowEgress":    {`{"allow": ["10.1.0.0/16", "intranet.example.com", "127.0.0.1:9000"]}`},

	"testStep": {`{"project_id": "$project", "step": {"id": "a", "action": "log_message", "config": {"message": "{{ inputs.x }}", "level": "info"}},
		"inputs": {"x": 1}, "steps": {"b": {"output": 1}}}`},
	"createWorkflow":   {schedules, steps, events},
	"validateWorkflow": {schedules, steps, events},
	"replaceWorkflow":  {schedules},
	"createDraft":      {`{"definition": ` + steps + `, "project_id": "$project"}`},
	"saveDraft":        {`{"definition": ` + events + `, "based_on": 1}`},
	"runDraft":         {`{"inputs": {"x": 1}}`},
	"startRun":         {`{"inputs": {"x": 1, "y": ["a", {"b": null}]}}`},

	"previewBackfill":  {`{"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z", "overlap": "queue_all", "concurrency": 1, "limit": 5}`},
	"startBackfill":    {`{"from": "2026-01-01T00:00:00Z", "to": "2026-01-03T00:00:00Z", "overlap": "queue_all", "concurrency": 1, "limit": 5}`},
	"rotateTriggerURL": {`{"keep_old": "1h"}`},
	"replayDelivery":   {`{"version": "current"}`},
	"createCalendar":   {`{"name": "Free days", "description": "of the town", "dates": ["2026-12-25", "2026-12-24..2026-12-31"], "project_id": "$project"}`},
	"replaceCalendar":  {`{"name": "Holidays", "description": "of the town", "dates": ["2026-12-25"]}`},
	"previewSchedule": {
		`{"cron": "0 9 * * MON-FRI", "timezone": "Europe/Madrid", "from": "2026-01-01T00:00:00Z", "count": 5, "gap": "skip", "overlap_hour": "both",
		"jitter": "10s", "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z", "excluded_dates": ["2026-12-25"], "calendar": "Holidays"}`,
		`{"every": "15m", "timezone": "Asia/Kathmandu"}`, `{"at": "2030-01-01T00:00:00Z"}`,
	},

	"putSecret":   {`{"value": "a value that nobody reads", "description": "for nothing"}`},
	"putVariable": {`{"value": {"a": [1, "2"]}, "description": "for nothing"}`},

	"rerunRun":       {`{"from": "start", "version": "same", "inputs": {"x": 2}}`},
	"resolveRun":     {`{"step": "say", "decision": "succeeded", "output": {"a": 1}, "note": "looked at it"}`},
	"decideApproval": {`{"decision": "approve", "note": "go on"}`},
	"decideAsked":    {`{"decision": "approve", "name": "Ana", "note": "go on"}`},

	"muteWorkflow": {`{"for": "1h"}`},
	"createChannel": {
		`{"name": "Team", "action": "http_endpoint", "config": {"url": "http://127.0.0.1:9/", "method": "POST", "headers": {"X-A": "b"}}, "project_id": "$project"}`,
		`{"name": "Mail", "action": "send_email", "config": {"host": "127.0.0.1", "from": "a@example.org", "to": ["b@example.org"]}, "project_id": "$project"}`,
	},
	"replaceChannel": {`{"name": "Renamed alarm", "action": "http_endpoint", "config": {"url": "http://127.0.0.1:9/", "method": "POST"}}`},
	"testChannel":    {`{"language": "es"}`},
	"createRule": {`{"name": "Nights", "enabled": true, "workflows": ["$workflow"], "on": ["failure", "late_start", "late_finish", "recovery"], "after_failures": 3, "start_within": "5m",
		"finish_within": "90m", "channels": ["$channel"], "repeat": "1h", "language": "en", "timezone": "Europe/Madrid",
		"quiet": {"days": ["mon"], "from": "22:00", "to": "06:00", "drop": true}, "project_id": "$project"}`},
	"replaceRule": {`{"name": "Renamed rule", "on": ["failure"], "channels": ["$channel"]}`},

	"limitQueue":   {`{"max_concurrent": 50}`},
	"limitProject": {`{"max_concurrent": 50}`},
	"limitHost":    {`{"max_concurrent": 5, "per_second": 2.5, "burst": 3}`},
}

// The workflows are switched off: what comes of them here is saved, and not run.
const (
	schedules = `{"name": "Daily", "description": "of the rate", "project_id": "$project", "enabled": false, "timeout": "10m", "queue": "bulk", "max_concurrent": 2,
		"keep": {"succeeded": "30d", "failed": "90d"}, "inputs": {"type": "object", "properties": {"x": {"type": "integer", "default": 1}}, "required": ["x"]},
		"outputs": {"rate": "{{ steps.fetch.body.usd }}"},
		"triggers": [{"id": "morning", "type": "schedule", "cron": "0 9 * * MON-FRI", "timezone": "Europe/Madrid", "gap": "skip", "overlap_hour": "second",
			"overlap": "queue_one", "missed": "all", "catch_up_window": "1d", "catch_up_limit": 10, "grace": "1m", "jitter": "10s", "starts_at": "2026-01-01T00:00:00Z",
			"ends_at": "2030-01-01T00:00:00Z", "max_runs": 100, "excluded_dates": ["2026-12-25"], "pause_after_failures": 5, "inputs": {"x": 2}},
			{"id": "often", "type": "schedule", "every": "15m", "enabled": false}],
		"steps": [{"id": "fetch", "name": "Fetch the rate", "action": "http_endpoint", "timeout": "20s", "on_unknown": "hold",
			"config": {"url": "http://127.0.0.1:9/rates?base={{ inputs.x }}", "method": "POST", "headers": {"X-A": "{{ inputs.x }}"}, "query": {"a": "b"}, "body": {"json": {"a": 1}},
				"auth": {"type": "bearer", "token": "{{ secrets.hook_key }}"}, "expect_status": ["2xx", "304"], "expect_body": "body.ok", "follow_redirects": true},
			"retry": {"attempts": 4, "backoff": "exponential", "initial": "1s", "max": "1m", "on": ["timeout", "5xx", "429"]}},
			{"id": "note", "action": "log_message", "depends_on": ["fetch"], "if": "steps.fetch.status == 200", "on_error": "fallback", "fallback": "other",
			"config": {"message": "1 EUR = {{ steps.fetch.body.usd }} USD", "level": "warn"}},
			{"id": "other", "action": "log_message", "config": {"message": "no rate"}}]}`

	steps = `{"name": "Everything", "project_id": "$project", "enabled": false, "steps": [
		{"id": "shape", "action": "transform", "config": {"value": {"a": "{{ 1 + 1 }}", "b": ["{{ inputs }}"]}}},
		{"id": "pages", "action": "http_endpoint", "config": {"url": "http://127.0.0.1:9/", "paginate": {"next": "next_link", "collect": "body.items"}}},
		{"id": "rest", "action": "wait", "config": {"duration": "10s"}},
		{"id": "ask", "action": "approval", "config": {"message": "Go on?", "timeout": "1h"}},
		{"id": "each", "action": "run_workflow", "config": {"workflow": "Target", "for_each": "{{ [1, 2] }}", "concurrency": 2, "tolerate": 1, "wait": true, "inputs": {"x": "{{ each.item }}"}}},
		{"id": "mail", "action": "send_email", "config": {"host": "127.0.0.1", "port": 25, "tls": "none", "from": "a@example.org", "to": ["b@example.org"], "cc": ["c@example.org"], "subject": "{{ inputs.x }}",
			"text": "hello", "html": "<b>{{ inputs.x }}</b>", "attachments": [{"name": "a.csv", "content": "a", "content_type": "text/csv", "base64": false}]}},
		{"id": "tell", "action": "slack", "config": {"webhook_url": "{{ secrets.hook_key }}", "text": "hello", "title": "Hello", "link": "https://example.org/", "color": "red",
			"fields": [{"name": "a", "value": "{{ inputs.x }}"}]}}]}`

	events = `{"name": "Events", "project_id": "$project", "enabled": false,
		"triggers": [
			{"id": "hook", "type": "webhook", "methods": ["POST"], "dedupe": {"json_path": "$.id", "window": "1h"}, "filter": "inputs.body.x == 1", "respond": {"wait": "5s"}},
			{"id": "signed", "type": "webhook", "signature": {"scheme": "hmac", "secret": "hook_key", "header": "X-Signature", "algorithm": "sha256", "encoding": "hex", "prefix": "sha256="}},
			{"id": "next", "type": "after", "workflow": "Target", "on": "failure"},
			{"id": "alive", "type": "heartbeat", "every": "1h", "grace": "5m", "on_recovery": true}],
		"steps": [{"id": "say", "action": "log_message", "config": {"message": "hello"}}]}`
)

// unsent are the operations that would take what the others need; they are called on what does not exist, or by nobody.
var unsent = map[string]bool{
	"logout": true, "endOtherSessions": true, "endSession": true, "revokeToken": true, "deleteProject": true, "leaveProject": true, "removeMember": true,
	"disableUser": true, "endUserSessions": true, "deleteWorkflow": true, "discardDraft": true, "publishDraft": true, "deleteCalendar": true,
	"deleteChannel": true, "deleteRule": true, "deleteSecret": true, "deleteVariable": true, "pauseQueue": true,
}
