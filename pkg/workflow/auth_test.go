package workflow

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
)

// refusal is the pointers and codes of what is wrong with a step's configuration.
func refusal(t *testing.T, action, config string) string {
	t.Helper()
	a, ok := ActionOf(action)
	if !ok {
		t.Fatalf("no action %s", action)
	}
	_, err := a.check(json.RawMessage(config))
	f, ok := fault.Of(err)
	if !ok {
		if err != nil {
			t.Errorf("%s: %v", config, err)
		}
		return ""
	}
	var list []string
	for _, field := range f.Fields {
		list = append(list, field.Pointer+" "+field.Code)
	}
	return strings.Join(list, ", ")
}

func TestWhatIsWorthAPasswordIsASecret(t *testing.T) {
	for _, c := range []struct{ action, config, want string }{
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer", "token": "abc"}}`, "/auth/token literal_secret"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer", "token": "{{ \"abc\" }}"}}`, "/auth/token literal_secret"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer"}}`, "/auth/token required"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer", "token": "{{ secrets.a }}"}}`, ""},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer", "token": "{{ steps.login.body.token }}"}}`, ""},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "basic", "username": "u", "password": "p"}}`, "/auth/password literal_secret"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "api_key", "header": "X-Key", "value": "v"}}`, "/auth/value literal_secret"},
		{ActionSlack, `{"webhook_url": "https://hooks.slack.com/x", "text": "t"}`, "/webhook_url literal_secret"},
		{ActionDiscord, `{"webhook_url": "https://discord.com/x", "text": "t"}`, "/webhook_url literal_secret"},
		{ActionTeams, `{"webhook_url": "https://x.logic.azure.com/x", "text": "t"}`, "/webhook_url literal_secret"},
		{ActionTelegram, `{"bot_token": "123:abc", "chat_id": "1", "text": "t"}`, "/bot_token literal_secret"},
		{ActionEmail, `{"host": "h", "from": "a@b.c", "to": ["a@b.c"], "subject": "s", "text": "t", "username": "u", "password": "p"}`, "/password literal_secret"},
	} {
		if got := refusal(t, c.action, c.config); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.action, c.config, got, c.want)
		}
	}
}

func TestConfigurationsThatAreRefused(t *testing.T) {
	mail := func(more string) string {
		return `{"host": "smtp.example.com", "from": "a@b.c", "to": ["a@b.c"], "subject": "s", "text": "t"` + more + `}`
	}
	for _, c := range []struct{ action, config, want string }{
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "digest"}}`, "/auth/type auth_type"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "api_key", "value": "{{ secrets.a }}"}}`, "/auth api_key"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "api_key", "header": "a b", "value": "{{ secrets.a }}"}}`, "/auth/header header_name"},
		{ActionHTTP, `{"url": "http://a/", "auth": {"type": "bearer", "token": "{{ secrets.a }}", "username": "u"}}`, "/auth/username unused"},
		{ActionHTTP, `{"url": "http://a/", "headers": {"authorization": "x"}, "auth": {"type": "bearer", "token": "{{ secrets.a }}"}}`, "/headers/authorization set_twice"},
		{ActionHTTP, `{"url": "http://a/", "expect_body": "body.ok =="}`, "/expect_body expression_syntax"},
		{ActionHTTP, `{"url": "http://a/", "expect_body": "answer.ok"}`, "/expect_body expression_syntax"},
		{ActionHTTP, `{"url": "http://a/", "expect_body": "body.ok && status == 200 && headers.a == inputs.b"}`, ""},
		{ActionHTTP, `{"url": "http://a/{{ body }}"}`, "/url expression_syntax"}, // only where an answer is there
		{ActionHTTP, `{"url": "http://a/", "paginate": {}}`, "/paginate/next required, /paginate/collect required"},
		{ActionHTTP, `{"url": "http://a/", "method": "PUT", "paginate": {"next": "next_link", "collect": "body", "max_pages": 51}}`, "/paginate method, /paginate/max_pages range"},
		{ActionSlack, `{}`, "/webhook_url required, /text required"},
		{ActionSlack, `{"webhook_url": "{{ secrets.a }}", "text": "t", "color": "pink", "link": "https://a"}`, "/link title, /color color"},
		{ActionSlack, `{"webhook_url": "{{ secrets.a }}", "text": "t", "fields": [{"name": ""}]}`, "/fields/0/name required"},
		{ActionTelegram, `{"bot_token": "{{ secrets.a }}", "text": "t"}`, "/chat_id required"},
		{ActionEmail, mail(`, "tls": "ssl"`), "/tls tls"},
		{ActionEmail, mail(`, "tls": "none", "username": "u", "password": "{{ secrets.a }}"`), "/tls password_in_the_clear"},
		{ActionEmail, mail(`, "username": "u"`), "/username login"},
		{ActionEmail, mail(`, "port": 70000`), "/port range"},
		{ActionEmail, mail(`, "reply_to": "nobody"`), "/reply_to email"},
		{ActionEmail, mail(`, "attachments": [{"name": "", "content_type": "x"}]`), "/attachments/0/name required, /attachments/0/content_type content_type"},
		{ActionEmail, `{"host": "smtp.example.com:25", "from": "", "subject": "a\nb"}`, "/host host, /from required, /to required, /subject line_break, /text required"},
	} {
		if got := refusal(t, c.action, c.config); got != c.want {
			t.Errorf("%s %s: %q, want %q", c.action, c.config, got, c.want)
		}
	}
}
