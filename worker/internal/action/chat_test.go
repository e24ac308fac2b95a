package action

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/guildmember145/orquestador-plataforma/pkg/expr"
)

// chatRoom is a service that takes messages as the real one does, refuses what that refuses, and keeps the last one.
type chatRoom struct {
	check  func(got object) (refusal string)
	answer func(w http.ResponseWriter)
	last   object
	path   string
}

func (c *chatRoom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	c.last, c.path = nil, r.URL.RequestURI()
	if err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &c.last) != nil {
		http.Error(w, "invalid_payload", 400)
		return
	}
	if len(raw) > 100<<10 {
		http.Error(w, "too_long", http.StatusRequestEntityTooLarge)
		return
	}
	if refusal := c.check(c.last); refusal != "" {
		http.Error(w, refusal, 400)
		return
	}
	c.answer(w)
}

// visit lets a room be the counterpart; its webhook has the canary in its path.
func (l *lab) visit(c *chatRoom) expr.Env {
	env := l.serve(c.ServeHTTP)
	env["secrets"] = object{"hook": env["vars"].(object)["url"].(string) + "/services/" + canary, "token": canary}
	env["inputs"] = object{"who": `<!channel> & "*Eve*" https://e.org/a_b`, "link": "https://e.org/a_b", "long": strings.Repeat("ñ", 50_000), "color": "red"}
	return env
}

func answerWith(status int, header, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		if name, value, found := strings.Cut(header, ": "); found {
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func textOf(v any) string { s, _ := v.(string); return s }

// wants is a message with everything in it, sent to the hook.
func wants(more object) object {
	config := object{
		"webhook_url": "{{ secrets.hook }}", "title": "Hi <{{ inputs.who }}>", "link": "https://example.com/x?a=1&b=2", "color": "{{ inputs.color }}",
		"text": "*ready*: {{ inputs.who }} {{ inputs.link }}", "fields": []object{{"name": "A", "value": "{{ inputs.who }}"}, {"name": "B", "value": ""}},
	}
	for k, v := range more {
		config[k] = v
	}
	return config
}

func plainly(text string) object { return object{"webhook_url": "{{ secrets.hook }}", "text": text} }

func TestSlack(t *testing.T) {
	l := newLab(t)
	room := &chatRoom{answer: answerWith(200, "", "ok"), check: func(got object) string {
		attachments, _ := got["attachments"].([]any)
		switch {
		case textOf(got["text"]) == "" && len(attachments) == 0:
			return "no_text"
		case utf8.RuneCountInString(textOf(got["text"])) > 40_000:
			return "msg_too_long"
		}
		return ""
	}}
	env := l.visit(room)
	l.good(l.run("slack", wants(nil), env))
	want := object{
		"title": `Hi &lt;&lt;!channel&gt; &amp; "*Eve*" https://e.org/a_b&gt;`, "title_link": "https://example.com/x?a=1&b=2", "color": "#e01e5a",
		"text": `*ready*: &lt;!channel&gt; &amp; "*Eve*" https://e.org/a_b https://e.org/a_b`, "mrkdwn_in": []any{"text"},
		"fallback": room.last["attachments"].([]any)[0].(object)["fallback"],
		"fields": []any{
			object{"title": "A", "value": `&lt;!channel&gt; &amp; "*Eve*" https://e.org/a_b`, "short": true}, object{"title": "B", "value": "", "short": true},
		},
	}
	if diff := cmp.Diff(want, room.last["attachments"].([]any)[0]); diff != "" {
		t.Error(diff)
	}
	if room.path != "/services/"+canary {
		t.Errorf("path %s", room.path)
	}
	// A link that the author wrote stays one.
	l.good(l.run("slack", plainly("<https://example.com|see>, {{ inputs.who }}"), env))
	if got := room.last["text"]; got != `<https://example.com|see>, &lt;!channel&gt; &amp; "*Eve*" https://e.org/a_b` {
		t.Errorf("text %q", got)
	}
	if out := l.good(l.run("slack", plainly("{{ inputs.long }}"), env)); out["truncated"] != true || utf8.RuneCountInString(textOf(room.last["text"])) != 40_000 {
		t.Errorf("a long text: %v", out)
	}
	for _, c := range []struct {
		status         int
		header, body   string
		class, message string
		after          time.Duration
	}{
		{404, "", "no_service", "404", "says 404: no_service", 0},
		{403, "", "", "403", "says 403: Forbidden", 0},
		{429, "Retry-After: 7", "rate_limited", "429", "says 429: rate_limited", 7 * time.Second},
		{500, "", "oops " + canary, "500", "says 500: oops ***", 0},
	} {
		room.answer = answerWith(c.status, c.header, c.body)
		if f := l.bad(l.run("slack", plainly("x"), env), c.class, c.message); f.RetryAfter != c.after {
			t.Errorf("%d: again after %s", c.status, f.RetryAfter)
		}
	}
}

func TestDiscord(t *testing.T) {
	l := newLab(t)
	room := &chatRoom{answer: answerWith(200, "", `{"id": "42"}`), check: func(got object) string {
		mentions, ok := got["allowed_mentions"].(object)
		if !ok || len(mentions["parse"].([]any)) != 0 {
			return `{"message": "it may mention everyone"}`
		}
		embeds, _ := got["embeds"].([]any)
		if textOf(got["content"]) == "" && len(embeds) == 0 {
			return `{"message": "Cannot send an empty message", "code": 50006}`
		}
		if utf8.RuneCountInString(textOf(got["content"])) > 2000 {
			return `{"message": "Invalid Form Body", "errors": {"content": "Must be 2000 or fewer in length."}}`
		}
		for _, e := range embeds {
			e := e.(object)
			fields, _ := e["fields"].([]any)
			total := utf8.RuneCountInString(textOf(e["title"]) + textOf(e["description"]))
			if utf8.RuneCountInString(textOf(e["title"])) > 256 || utf8.RuneCountInString(textOf(e["description"])) > 4096 || len(fields) > 25 {
				return `{"message": "Invalid Form Body"}`
			}
			for _, f := range fields {
				name, value := textOf(f.(object)["name"]), textOf(f.(object)["value"])
				total += utf8.RuneCountInString(name + value)
				if name == "" || value == "" || utf8.RuneCountInString(name) > 256 || utf8.RuneCountInString(value) > 1024 {
					return `{"message": "Invalid Form Body", "errors": {"fields": "This field is required"}}`
				}
			}
			if total > 6000 {
				return `{"message": "Embed size exceeds maximum size of 6000"}`
			}
		}
		return ""
	}}
	env := l.visit(room)
	if out := l.good(l.run("discord", wants(nil), env)); out["id"] != "42" || room.path != "/services/"+canary+"?wait=true" {
		t.Errorf("output %v at %s", out, room.path)
	}
	embed := room.last["embeds"].([]any)[0].(object)
	if embed["color"] != float64(0xe01e5a) || embed["url"] != "https://example.com/x?a=1&b=2" ||
		embed["description"] != `*ready*: \<!channel\> & "\*Eve\*" https://e.org/a\_b https://e.org/a_b` {
		t.Errorf("embed %v", embed)
	}
	if out := l.good(l.run("discord", plainly("{{ inputs.long }}"), env)); out["truncated"] != true {
		t.Errorf("a long text: %v", out)
	}
	var many []object
	for range 20 {
		many = append(many, object{"name": "{{ inputs.long }}", "value": "{{ inputs.long }}"})
	}
	if out := l.good(l.run("discord", wants(object{"title": "{{ inputs.long }}", "text": "{{ inputs.long }}", "fields": many}), env)); out["truncated"] != true {
		t.Errorf("everything long: %v", out)
	}
	room.answer = answerWith(429, "Retry-After: 1", `{"message": "You are being rate limited.", "retry_after": 1.5, "global": false}`)
	if f := l.bad(l.run("discord", plainly("x"), env), "429", "You are being rate limited."); f.RetryAfter != 1500*time.Millisecond {
		t.Errorf("again after %s", f.RetryAfter)
	}
	room.answer = answerWith(404, "", `{"message": "Unknown Webhook", "code": 10015}`)
	l.bad(l.run("discord", plainly("x"), env), "404", "Unknown Webhook")
}

func TestTeams(t *testing.T) {
	l := newLab(t)
	room := &chatRoom{answer: answerWith(202, "", ""), check: func(got object) string {
		raw, _ := json.Marshal(got)
		attachments, _ := got["attachments"].([]any)
		switch {
		case got["type"] != "message" || len(attachments) != 1:
			return `{"error": {"code": "InvalidRequest", "message": "no attachments"}}`
		case attachments[0].(object)["contentType"] != "application/vnd.microsoft.card.adaptive" || attachments[0].(object)["content"].(object)["type"] != "AdaptiveCard":
			return `{"error": {"message": "no card"}}`
		case len(raw) > 28<<10:
			return `{"error": {"message": "RequestEntityTooLarge"}}`
		}
		return ""
	}}
	env := l.visit(room)
	l.good(l.run("teams", wants(nil), env))
	card := room.last["attachments"].([]any)[0].(object)["content"].(object)
	container := card["body"].([]any)[0].(object)
	items := container["items"].([]any)
	if container["style"] != "attention" || items[1].(object)["text"] != `*ready*: \<!channel\> & "\*Eve\*" https://e.org/a\_b https://e.org/a_b` ||
		!strings.HasSuffix(textOf(items[0].(object)["text"]), "](https://example.com/x?a=1&b=2)") || len(items[2].(object)["facts"].([]any)) != 2 {
		t.Errorf("card %v", card)
	}
	if out := l.good(l.run("teams", plainly("{{ inputs.long }}"), env)); out["truncated"] != true {
		t.Errorf("a long text: %v", out)
	}
	room.answer = answerWith(200, "", "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x")
	l.bad(l.run("teams", plainly("x"), env), "429", "Webhook message delivery failed")
	room.answer = answerWith(401, "", `{"error": {"code": "DirectApiAuthorizationRequired", "message": "The OAuth authorization scheme is required."}}`)
	l.bad(l.run("teams", plainly("x"), env), "401", "The OAuth authorization scheme is required.")
}

func TestTelegram(t *testing.T) {
	l := newLab(t)
	token := "123456:" + canary
	room := &chatRoom{answer: answerWith(200, "", `{"ok": true, "result": {"message_id": 77}}`), check: func(got object) string {
		text := utf16.Encode([]rune(textOf(got["text"])))
		switch {
		case textOf(got["chat_id"]) == "":
			return `{"ok": false, "error_code": 400, "description": "Bad Request: chat_id is empty"}`
		case len(text) == 0:
			return `{"ok": false, "error_code": 400, "description": "Bad Request: message text is empty"}`
		case len(text) > 4096:
			return `{"ok": false, "error_code": 400, "description": "Bad Request: message is too long"}`
		}
		for _, e := range got["entities"].([]any) {
			if e := e.(object); int(e["offset"].(float64)+e["length"].(float64)) > len(text) {
				return `{"ok": false, "error_code": 400, "description": "Bad Request: entity beyond the text"}`
			}
		}
		return ""
	}}
	env := l.visit(room)
	env["secrets"] = object{"token": token}
	config := wants(object{"bot_token": "{{ secrets.token }}", "chat_id": "-100123", "silent": true, "server": "{{ vars.url }}/"})
	delete(config, "webhook_url")
	if out := l.good(l.run("telegram", config, env)); out["message_id"] != 77.0 || room.path != "/bot"+token+"/sendMessage" {
		t.Errorf("output %v at %s", out, room.path)
	}
	who := `<!channel> & "*Eve*" https://e.org/a_b`
	text := "🔴 Hi <" + who + ">\n*ready*: " + who + " https://e.org/a_b\n\nA: " + who + "\nB: "
	if room.last["text"] != text || room.last["disable_notification"] != true {
		t.Errorf("sent %q", room.last["text"])
	}
	encoded := utf16.Encode([]rune(text))
	marked := ""
	for _, e := range room.last["entities"].([]any) {
		e := e.(object)
		from := int(e["offset"].(float64))
		marked += textOf(e["type"]) + "=" + string(utf16.Decode(encoded[from:from+int(e["length"].(float64))])) + textOf(e["url"]) + "; "
	}
	if want := "bold=Hi <" + who + ">; text_link=Hi <" + who + ">https://example.com/x?a=1&b=2; bold=A; bold=B; "; marked != want {
		t.Errorf("marked %s", marked)
	}
	config["text"], config["title"] = "{{ inputs.long }}🔑🔑", strings.Repeat("🔑", 1000)
	if out := l.good(l.run("telegram", config, env)); out["truncated"] != true {
		t.Errorf("a long text: %v", out)
	}
	config["text"], config["title"] = "x", "y"
	for _, c := range []struct {
		status         int
		body           string
		class, message string
		after          time.Duration
	}{
		{429, `{"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 5", "parameters": {"retry_after": 5}}`, "429", "retry after 5", 5 * time.Second},
		{400, `{"ok": false, "error_code": 400, "description": "Bad Request: group chat was upgraded", "parameters": {"migrate_to_chat_id": -1009}}`, "400", "the chat_id is -1009 now", 0},
		{401, `{"ok": false, "error_code": 401, "description": "Unauthorized"}`, "401", "says 401: Unauthorized", 0},
		{502, `<html>Bad Gateway</html>`, "502", "Bad Gateway", 0},
	} {
		room.answer = answerWith(c.status, "", c.body)
		if f := l.bad(l.run("telegram", config, env), c.class, c.message); f.RetryAfter != c.after {
			t.Errorf("%d: again after %s", c.status, f.RetryAfter)
		}
	}
	config["bot_token"] = "{{ inputs.who }}"
	l.bad(l.run("telegram", config, env), "config", "not a bot's token")
}

// Nothing of a webhook's address is told when it cannot be reached, nor anything sent that makes no message.
func TestMessagesThatAreNotSent(t *testing.T) {
	l := newLab(t)
	env := l.visit(&chatRoom{})
	env["secrets"] = object{"hook": "http://127.0.0.1:1/services/path-of-a-webhook?sig=abc", "token": canary}
	for action, set := range map[string]string{"slack": "webhook_url", "discord": "webhook_url", "teams": "webhook_url"} {
		f := l.bad(l.run(action, plainly("x"), env), "connection", "127.0.0.1:1")
		if strings.Contains(f.Message, "path-of") || strings.Contains(f.Message, "sig") || !f.Unsent {
			t.Errorf("%s: %s (unsent %v)", action, f.Message, f.Unsent)
		}
		for field, value := range map[string]string{"color": "{{ inputs.who }}", "link": "javascript:alert(1)", "text": "{{ inputs.nothing }}", set: "{{ inputs.nothing }}"} {
			f := l.bad(l.run(action, wants(object{field: value}), env), "config", "")
			if !f.Unsent {
				t.Errorf("%s, %s: %s", action, field, f.Message)
			}
		}
	}
	env["secrets"] = object{"hook": "http://10.1.2.3/services/path-of-a-webhook", "token": canary}
	l.bad(l.run("slack", plainly("x"), env), "config", "ORQ_EGRESS_ALLOW")
}
