package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/guildmember145/orquestador-plataforma/api"
)

func TestAnAdministratorDisablesSomebody(t *testing.T) {
	in := install(t)
	root, ben := in.user("root"), in.user("ben")
	browser := in.nobody(true)
	browser.login("ben@example.org").want(200)
	ben.get("/auth/me").want(200) // so that who they are is remembered
	user := "/users/" + ben.me.text("id")
	if p := root.post(user+"/disable", nil).want(200); p["disabled_at"] == nil || p.number("sessions") != "0" {
		t.Errorf("disabled: %v", p)
	}
	// At once: neither the access token nor the refresh token is good any more, and the clock has not moved.
	ben.get("/auth/me").refused(401, "unauthorized")
	browser.get("/auth/me").refused(401, "unauthorized")
	browser.post("/auth/refresh", nil).refused(401, "unauthorized")
	ben.login("ben@example.org").refused(401, "bad_credentials")
	root.post(user+"/password-reset", nil).refused(404, "not_found")

	root.post(user+"/enable", nil).want(200)
	ben.get("/auth/me").refused(401, "unauthorized") // what has ended stays so
	ben.login("ben@example.org").want(200)
}

func TestOneAdministratorStays(t *testing.T) {
	in := install(t)
	root, ben := in.user("root"), in.user("ben")
	self, user := "/users/"+root.me.text("id"), "/users/"+ben.me.text("id")
	root.post(self+"/disable", nil).refused(409, "last_administrator")
	root.put(self+"/role", object{"role": "member"}).refused(409, "last_administrator")
	ben.get("/users").refused(403, "administrators_only")
	root.put(user+"/role", object{"role": "administrator"}).want(200)
	ben.get("/users").want(200) // at once
	ben.put(self+"/role", object{"role": "member"}).want(200)
	root.get("/users").refused(403, "administrators_only")
	ben.post(user+"/disable", nil).refused(409, "last_administrator")
	ben.post("/users/"+nobodysID+"/disable", nil).refused(404, "not_found")
}

func TestListingPeople(t *testing.T) {
	in := install(t)
	root := in.user("root")
	for _, name := range []string{"ben", "cleo", "dora", "benita"} {
		in.user(name)
	}
	names := func(path string) (found []string) {
		for page := range root.pages(path, 2) {
			for _, p := range page {
				found = append(found, p.text("username"))
			}
		}
		return found
	}
	for query, want := range map[string]string{"": "benita dora cleo ben root", "?q=BEN": "benita ben", "?q=cleo%40example": "cleo", "?q=%25": ""} {
		if got := strings.Join(names("/users"+query), " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
	root.delete("/users/" + root.me.text("id") + "/sessions").want(204)
	root.get("/users").refused(401, "unauthorized")
}

func TestAnotherPasswordByMail(t *testing.T) {
	office := openPostOffice(t)
	in := install(t, office.serves)
	ana := in.user("ana")
	nobody := in.nobody(false)
	// Links in mails do not lead where whoever asks says that the request came to.
	fromElsewhere := func(r *http.Request) { r.Host = "evil.example" }
	forgot := func(email string) answer {
		return nobody.post("/auth/password/forgot", object{"email": email}, fromElsewhere, header("Accept-Language", "es"))
	}
	unknown := forgot("eve@example.org")
	known := forgot("ANA@example.org ")
	if unknown.status != 202 || known.status != 202 || len(unknown.body) != 0 || len(known.body) != 0 {
		t.Errorf("answers differ: %d %s, %d %s", unknown.status, unknown.body, known.status, known.body)
	}
	mail := <-office.mails // mails go one after the other, so that none went to eve
	_, rest, found := strings.Cut(mail.text, "https://orq.example.org/reset#")
	if !found || mail.to != "ana@example.org" || mail.subject != "Otra contraseña para Orquestador" && !strings.HasPrefix(mail.subject, "=?UTF-8?") {
		t.Fatalf("mailed %+v", mail)
	}
	token := strings.Fields(rest)[0]
	reset := object{"token": token, "password": "a password that is new"}
	nobody.post("/auth/password/reset", object{"token": token, "password": "ana@example.org"}).at("/password", "guessable")
	nobody.post("/auth/password/reset", reset).want(204)
	nobody.post("/auth/password/reset", reset).refused(410, "link_spent")
	ana.get("/auth/me").refused(401, "unauthorized") // all sessions have ended, at once
	ana.login("ana@example.org").refused(401, "bad_credentials")
	nobody.post("/auth/login", object{"email": "ana@example.org", "password": "a password that is new"}).want(200)

	// Nobody's mailbox is filled: two more, and then none for a while.
	for range 4 {
		forgot("ana@example.org").want(202)
	}
	forgot("nobody@example.org").want(202)
	<-office.mails
	<-office.mails
	in.user("ben")
	forgot("ben@example.org").want(202)
	if mail := <-office.mails; mail.to != "ben@example.org" {
		t.Errorf("another mail went to %s", mail.to)
	}
}

func TestLinksForAnotherPassword(t *testing.T) {
	in := install(t)
	in.user("root")
	in.user("ben")
	nobody := in.nobody(false)
	try := func(token string) answer {
		return nobody.post("/auth/password/reset", object{"token": token, "password": "a password that is new"})
	}
	first := in.resetToken("ben")
	second := in.resetToken("ben")
	try(first).refused(410, "link_spent") // the next takes its place
	in.sql(`update password_resets set expires_at = now() returning 0`)
	try(second).refused(410, "link_spent")
	if n := in.sql(`select count(*) from users u join password_resets r on r.user_id = u.id where extract(epoch from r.expires_at - r.created_at) > 3601`); n != 0 {
		t.Error("a link works for more than an hour")
	}
	nobody.post("/auth/password/forgot", object{"email": "ben@example.org"}).refused(409, "no_mail")
}

func TestChangingThePassword(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	phone := in.nobody(true)
	phone.login("ana@example.org").want(200)
	change := func(current, next string) answer {
		return ana.put("/auth/password", object{"current_password": current, "password": next})
	}
	change("not the password", "a password that is new").at("/current_password", "wrong_password")
	change(password, "1234567890").at("/password", "common")
	change(password, "a password that is new").want(204)
	ana.get("/auth/me").want(200) // this session goes on
	phone.get("/auth/me").refused(401, "unauthorized")
	phone.login("ana@example.org").refused(401, "bad_credentials")
}

func TestEndingTheOtherSessions(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	phone := in.nobody(true)
	phone.login("ana@example.org").want(200)
	ana.delete("/auth/sessions").want(204)
	ana.get("/auth/me").want(200)
	phone.get("/auth/me").refused(401, "unauthorized")
	if list := ana.get("/auth/sessions").want(200).items("items"); len(list) != 1 {
		t.Errorf("%d sessions are left", len(list))
	}
}

func TestSettingsOfMail(t *testing.T) {
	good := api.Config{SecretKey: "a key that is long enough for tests", SMTPURL: "smtp://mail.example.org", MailFrom: "orq@example.org", PublicURL: "https://orq.example.org"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for name, spoil := range map[string]func(*api.Config){
		"ORQ_SMTP_URL":   func(c *api.Config) { c.SMTPURL = "http://mail.example.org" },
		"ORQ_MAIL_FROM":  func(c *api.Config) { c.MailFrom = "nobody" },
		"ORQ_PUBLIC_URL": func(c *api.Config) { c.PublicURL = "" },
	} {
		c := good
		spoil(&c)
		if err := c.Check(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
