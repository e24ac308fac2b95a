package api_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/guildmember145/orquestador-plataforma/api"
	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

// member is somebody in the place.
func (p place) member(name string, role account.ProjectRole) *client {
	p.in.t.Helper()
	who := p.in.user(name)
	p.in.join(p.id, who, role)
	return who
}

func (p place) path(who *client) string { return "/projects/" + p.id + "/members/" + who.me.text("id") }

func TestProjects(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	made := ana.post("/projects", object{"name": "  Payments "}).want(201)
	if made.text("name") != "Payments" || made.text("role") != "owner" || made.number("members") != "1" {
		t.Errorf("made %v", made)
	}
	for _, name := range []string{"   ", "a\nb"} {
		ana.post("/projects", object{"name": name}).at("/name", "project_name")
	}
	path := "/projects/" + made.text("id")
	if p := ana.put(path, object{"name": "Payments and more"}).want(200); p.text("name") != "Payments and more" {
		t.Errorf("renamed %v", p)
	}
	list := ana.get("/auth/me").want(200).items("projects") // at once, though who ana is was just remembered
	if len(list) != 2 || list[1].text("name") != "Payments and more" {
		t.Errorf("ana's projects: %v", list)
	}
	_, w := ana.create(example(func(o object) { o["project_id"] = made.text("id") }))
	if w.text("project_id") != made.text("id") {
		t.Errorf("the workflow is in %v", w["project_id"])
	}
}

// A project goes with everything in it; what runs keeps it, unless it is asked to end.
func TestDeletingAProject(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	ben := p.member("ben", account.Viewer)
	path, _ := p.owner.create(example())
	hooked, hook := p.owner.hooked()
	p.owner.put("/secrets/token", object{"value": "a value that nobody reads"}).want(200)
	p.owner.post("/calendars", object{"name": "days", "dates": list{}}).want(201)
	p.invite(account.Viewer)
	p.owner.post("/alert-rules", p.ruleBody()).want(201)
	p.owner.put(path+"/draft", drafted(example())).want(200)
	program := in.nobody(false)
	program.token = p.owner.post("/auth/tokens", object{"name": "ci", "scopes": list{"run.read"}, "project_id": p.id}).want(201).text("token")
	run := p.owner.post(path+"/runs", nil).want(202).text("id")
	project := "/projects/" + p.id
	p.owner.delete(project).refused(409, "runs_live")
	p.owner.get(path).want(200) // nothing of it has gone
	in.deliver(hook, `{}`).want(202)

	p.owner.delete(project + "?end_runs=true").want(204)
	for _, gone := range []string{path, hooked, "/runs/" + run, project, project + "/members", "/secrets?project_id=" + p.id} {
		p.owner.get(gone).refused(404, "not_found")
		ben.get(gone).refused(404, "not_found")
	}
	p.owner.post("/workflows", object{"name": "late", "project_id": p.id, "steps": example()["steps"]}).refused(404, "not_found")
	for _, late := range []string{"/workflows/drafts", "/alert-rules", "/alert-channels"} {
		body := map[string]object{
			"/workflows/drafts": drafted(object{}), "/alert-channels": channelBody(),
			"/alert-rules": {"name": "r", "on": list{"failure"}, "channels": list{p.id}},
		}[late]
		p.owner.post(late, within(p, body)).refused(404, "not_found")
	}
	in.clock.advance(6 * time.Second) // addresses are remembered for a moment
	in.deliver(hook, `{}`).refused(410, "trigger_removed")
	left := `select (select count(*) from secrets) + (select count(*) from calendars) + (select count(*) from invitations)
		+ (select count(*) from alert_rules) + (select count(*) from alert_channels) + (select count(*) from drafts)
		+ (select count(*) from project_members where project_id = $1) + (select count(*) from run_live where cancel is null)`
	if n := in.sql(left, p.id); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	program.get("/runs").refused(401, "unauthorized")
	p.owner.post("/workflows", logOnly("x")).at("/project_id", "required")
	p.owner.post("/projects", object{"name": "anew"}).want(201)
	p.owner.post("/workflows", logOnly("x")).want(201)
}

func TestRoleChangesTakeEffectAtOnce(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	ben := p.member("ben", account.Viewer)
	path, _ := p.owner.create(logOnly("x"))
	// Another replica, which has seen ben too.
	other := *ben
	replica := *in
	replica.url, _ = in.serve(prometheus.NewRegistry())
	other.in = &replica
	other.post(path+"/runs", nil).refused(403, "role_forbids")
	ben.post(path+"/runs", nil).refused(403, "role_forbids")

	p.owner.put(p.path(ben), object{"role": "operator"}).want(200)
	ben.post(path+"/runs", nil).want(202)
	eventually(t, "the other replica hears of it", func() bool { return other.send("POST", path+"/runs", nil).status == 202 })

	p.owner.delete(p.path(ben)).want(204)
	ben.get(path).refused(404, "not_found")
	eventually(t, "the other replica hears of it", func() bool { return other.send("GET", path, nil).status == 404 })
}

// Two owners who make each other something else at the same moment: one of them stays.
func TestAProjectKeepsAnOwner(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	for range 5 {
		ben := p.member(unique("ben"), account.Owner)
		var wg sync.WaitGroup
		wg.Go(func() { p.owner.put(p.path(ben), object{"role": "viewer"}) })
		wg.Go(func() { ben.put(p.path(p.owner), object{"role": "viewer"}) })
		wg.Wait()
		if n := in.sql(`select count(*) from project_members where project_id = $1 and role = 'owner'`, p.id); n != 1 {
			t.Fatalf("%d owners are left", n)
		}
		in.sql(`delete from project_members where project_id = $1 and user_id = $2 returning 0`, p.id, ben.me.text("id"))
		in.join(p.id, p.owner, account.Owner)
	}
	p.owner.put(p.path(p.owner), object{"role": "admin"}).refused(409, "last_owner")
	p.owner.delete(p.path(p.owner)).refused(409, "last_owner")
	p.owner.post("/projects/"+p.id+"/leave", nil).refused(409, "last_owner")
	// One who cannot log in is no owner to rely on.
	cleo := p.member("cleo", account.Owner)
	in.sql(`update users set disabled_at = now() where id = $1 returning 0`, cleo.me.text("id"))
	p.owner.post("/projects/"+p.id+"/leave", nil).refused(409, "last_owner")
}

func TestWhatConcernsOwnersIsForOwners(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	admin, ben := p.member("adam", account.Admin), p.member("ben", account.Viewer)
	admin.put(p.path(ben), object{"role": "owner"}).refused(403, "owners_only")
	admin.put(p.path(admin), object{"role": "owner"}).refused(403, "owners_only")
	admin.put(p.path(p.owner), object{"role": "viewer"}).refused(403, "owners_only")
	admin.delete(p.path(p.owner)).refused(403, "owners_only")
	admin.post("/projects/"+p.id+"/invitations", object{"role": "owner"}).refused(403, "owners_only")
	admin.put(p.path(ben), object{"role": "admin"}).want(200)
	admin.put(p.path(ben), object{"role": "king"}).refused(422, "validation_failed")
	p.owner.put(p.path(ben), object{"role": "owner"}).want(200)
	stranger := in.user("stranger")
	p.owner.put(p.path(stranger), object{"role": "viewer"}).refused(404, "not_found")
}

func TestAnInvitationWorksOnce(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	token := p.invite(account.Operator)
	if n := in.sql(`select count(*) from invitations where encode(hash, 'escape') like '%' || $1 || '%'`, token); n != 0 {
		t.Error("the token is kept")
	}
	seen := in.nobody(false).post("/invitations/look", object{"token": token}).want(200)
	if seen.text("project") != "ana" || seen.text("role") != "operator" || seen.text("created_by") != "ana" {
		t.Errorf("who has the link sees %v", seen)
	}
	// Many at once: one gets in.
	const guests = 6
	statuses := make(chan int, guests)
	var wg sync.WaitGroup
	for range guests {
		guest := in.user(unique("guest"))
		wg.Go(func() { statuses <- guest.post("/invitations/accept", object{"token": token}).status })
	}
	wg.Wait()
	close(statuses)
	in200 := 0
	for s := range statuses {
		if s == 200 {
			in200++
		} else if s != 410 {
			t.Errorf("who came too late got %d", s)
		}
	}
	if n := in.sql(`select count(*) from project_members where project_id = $1 and role = 'operator'`, p.id); n != 1 || in200 != 1 {
		t.Errorf("%d were let in, %d got 200", n, in200)
	}
	in.nobody(false).post("/invitations/look", object{"token": token}).refused(410, "link_spent")
}

func TestInvitationsThatDoNotLetIn(t *testing.T) {
	in := install(t)
	p := in.place("ana")
	ben := in.user("ben")
	spent := func(token string) {
		t.Helper()
		ben.post("/invitations/accept", object{"token": token}).refused(410, "link_spent")
		in.nobody(false).post("/invitations/look", object{"token": token}).refused(410, "link_spent")
	}
	spent(strings.Repeat("A", 43))
	late := p.invite(account.Viewer)
	in.sql(`update invitations set expires_at = now() returning 0`)
	spent(late)

	withdrawn := p.invite(account.Viewer)
	id := p.owner.get("/projects/" + p.id + "/invitations").want(200).items("items")[0].text("id")
	p.owner.delete("/projects/" + p.id + "/invitations/" + id).want(204)
	p.owner.delete("/projects/"+p.id+"/invitations/"+id).refused(404, "not_found")
	spent(withdrawn)

	// Whoever may not invite any more leaves no open door behind.
	admin := p.member("adam", account.Admin)
	_, open, _ := strings.Cut(admin.post("/projects/"+p.id+"/invitations", object{"role": "admin"}).want(201).text("url"), "#")
	p.owner.put(p.path(admin), object{"role": "editor"}).want(200)
	spent(open)

	for another, of := range map[string]string{"cleo@example.org": "for another", "BEN@Example.org": "for ben"} {
		token := p.invite(account.Viewer, func(o object) { o["email"] = another })
		a := ben.post("/invitations/accept", object{"token": token})
		if of == "for ben" {
			a.want(200)
			ben.post("/invitations/accept", object{"token": p.invite(account.Viewer)}).refused(409, "already_member")
		} else {
			a.refused(403, "invitation_for_another")
		}
	}
	p.owner.post("/projects/"+p.id+"/invitations", object{"role": "viewer", "email": "no address"}).at("/email", "email")
}

func TestRegisteringByInvitation(t *testing.T) {
	newcomer := func(name string, token any) object {
		o := object{"email": name + "@example.org", "username": name, "password": password}
		if token != nil {
			o["invitation"] = token
		}
		return o
	}
	in := install(t, func(c *api.Config) { c.Registration = "invite" })
	p := in.place("ana") // the first, who administers
	nobody := in.nobody(false)
	nobody.post("/auth/register", newcomer("ben", nil)).refused(403, "registration_closed")
	nobody.post("/auth/register", newcomer("ben", strings.Repeat("A", 43))).refused(410, "link_spent")
	token := p.invite(account.Editor)
	nobody.post("/auth/register", newcomer("ana", token)).refused(409, "email_taken") // that does not use it up
	nobody.post("/auth/register", newcomer("ben", token)).want(201)
	nobody.post("/auth/register", newcomer("cleo", token)).refused(410, "link_spent")
	ben := in.nobody(false)
	ben.token = ben.login("ben@example.org").want(200).text("access_token")
	if list := ben.get("/auth/me").want(200).items("projects"); len(list) != 2 {
		t.Errorf("ben's projects: %v", list)
	}
	_, token, _ = strings.Cut(p.owner.post("/invitations", object{"email": "cleo@example.org"}).want(201).text("url"), "#")
	ben.post("/invitations/accept", object{"token": token}).refused(403, "invitation_for_another")
	nobody.post("/auth/register", newcomer("dora", token)).refused(403, "invitation_for_another")
	nobody.post("/auth/register", newcomer("cleo", token)).want(201)
	if n := in.sql(`select count(*) from users`); n != 3 {
		t.Errorf("%d accounts", n)
	}

	closed := install(t, func(c *api.Config) { c.Registration = "closed" })
	q := closed.place("ana")
	closed.nobody(false).post("/auth/register", newcomer("ben", q.invite(account.Viewer))).refused(403, "registration_closed")
}

func TestInvitationsByMail(t *testing.T) {
	office := openPostOffice(t)
	in := install(t, office.serves)
	p := in.place("ana")
	body := object{"role": "viewer", "email": "ben@example.org"}
	made := p.owner.post("/projects/"+p.id+"/invitations", body, header("Accept-Language", "es")).want(201)
	mail := <-office.mails
	if made["mailed"] != true || mail.to != "ben@example.org" || mail.from != "orq@example.org" || mail.subject != "Te han invitado a Orquestador" ||
		!strings.Contains(mail.text, "ana te invita al proyecto «ana»") || !strings.Contains(mail.text, made.text("url")) {
		t.Errorf("made %v\nmailed %+v", made, mail)
	}
	if !strings.HasPrefix(made.text("url"), "https://orq.example.org/invitation#") {
		t.Errorf("the link is %v", made["url"])
	}
}
