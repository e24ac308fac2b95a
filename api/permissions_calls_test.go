package api_test

import (
	"strings"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
)

// call is a request that its operation accepts.
type call struct {
	path string
	body any
	with []with
}

// simply is a call that needs nothing to be there.
func simply(path string, body any) func(place, *client) call {
	return func(place, *client) call { return call{path: path, body: body} }
}

// listed is the list of a project's things.
func listed(path string) func(place, *client) call {
	return func(p place, _ *client) call { return call{path: path + "?project_id=" + p.id} }
}

// of is a call about a workflow of the place, which nobody has touched yet.
func of(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		return call{path: path + rest, body: body}
	}
}

// ofRun is a call about a run of the place that waits for a worker.
func ofRun(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		return call{path: "/runs/" + p.owner.post(path+"/runs", nil).want(202).text("id") + rest, body: body}
	}
}

// ofBackfill is a call about a backfill of the place.
func ofBackfill(rest string) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		id := p.owner.post(path+"/triggers/morning/backfills", january()).want(201).text("id")
		return call{path: "/backfills/" + id + rest}
	}
}

// ofDelivery is a call about something that arrived at a webhook of the place.
func ofDelivery(rest string) func(place, *client) call {
	return func(p place, _ *client) call {
		_, hook := p.owner.hooked()
		return call{path: "/deliveries/" + p.in.deliver(hook, `{}`).want(202).text("delivery_id") + rest}
	}
}

// ofHook is a call about a workflow of the place that a webhook starts.
func ofHook(rest string) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.hooked()
		return call{path: path + rest}
	}
}

// ofCalendar is a call about a calendar of the place; change gives it another name.
func ofCalendar(change bool) func(place, *client) call {
	return func(p place, _ *client) call {
		c := call{path: "/calendars/" + p.owner.post("/calendars", object{"name": unique("holidays"), "dates": list{}}).want(201).text("id")}
		if change {
			c.body = object{"name": unique("renamed"), "dates": list{}}
		}
		return c
	}
}

// ofQuestion is a call about a question that a step of the place asks.
func ofQuestion(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		question, _ := p.owner.asks(path, "May it go on?")
		return call{path: question + rest, body: body}
	}
}

// ofValue is a call about a secret or a variable of the place.
func ofValue(kind string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path := "/" + kind + "/" + unique("v") + "?project_id=" + p.id
		p.owner.put(path, object{"value": "a value that nobody reads"}).want(200)
		return call{path: path, body: body}
	}
}

var uniques int

// unique is a name that nothing has yet.
func unique(name string) string {
	uniques++
	return name + strings.Repeat("x", uniques%50) + string(rune('a'+uniques/50%26)) + string(rune('a'+uniques/1300))
}

func within(p place, body object) object {
	body["project_id"] = p.id
	return body
}

func oneStep() object {
	return object{"step": object{"id": "a", "action": "log_message", "config": object{"message": "m"}}}
}

// calls says, for every operation of the contract, how it is called on something in a project, by somebody.
var calls = map[string]func(p place, who *client) call{
	"getSystem": simply("/system", nil),
	"register": func(place, *client) call {
		return newcomerTo("/auth/register")
	},
	"login": func(p place, _ *client) call {
		return call{path: "/auth/login", body: object{"email": p.owner.me.text("email"), "password": password}}
	},
	"refresh": func(p place, _ *client) call {
		browser := p.in.nobody(true)
		browser.login(p.owner.me.text("email")).want(200)
		return call{path: "/auth/refresh", with: []with{cookie("orq_refresh", browser.cookieValue("orq_refresh"))}}
	},
	"logout":      logoutCall,
	"getMe":       simply("/auth/me", nil),
	"listTokens":  simply("/auth/tokens", nil),
	"createToken": simply("/auth/tokens", object{"name": "ci", "scopes": []string{"run.read"}}),
	"revokeToken": func(_ place, who *client) call {
		t := who.post("/auth/tokens", object{"name": "old", "scopes": []string{"run.read"}}).want(201)
		return call{path: "/auth/tokens/" + t.child("api_token").text("id")}
	},
	"listSessions": simply("/auth/sessions", nil),
	"endSession": func(p place, who *client) call {
		who.login(who.me.text("email")).want(200)
		for _, s := range who.get("/auth/sessions").want(200).items("items") {
			if s["current"] == false {
				return call{path: "/auth/sessions/" + s.text("id")}
			}
		}
		return call{}
	},

	"endOtherSessions": func(p place, who *client) call {
		return call{path: "/auth/sessions", with: another(who)}
	},
	"changePassword": func(p place, who *client) call {
		return call{path: "/auth/password", body: object{"current_password": password, "password": password}, with: another(who)}
	},
	"forgotPassword": func(p place, _ *client) call {
		return call{path: "/auth/password/forgot", body: object{"email": p.owner.me.text("email")}}
	},
	"resetPassword": func(p place, _ *client) call {
		name := unique("forgetful")
		p.in.user(name)
		return call{path: "/auth/password/reset", body: object{"token": p.in.resetToken(name), "password": password}}
	},
	"startSSO":       simply("/auth/sso/oidc", object{"next": "/runs"}),
	"finishSSO":      comeBack,
	"listIdentities": simply("/auth/identities", nil),
	"linkIdentity":   simply("/auth/identities", object{"provider": "oidc", "password": password}),
	"unlinkIdentity": ofIdentity,
	"lookAtInvitation": func(p place, _ *client) call {
		return call{path: "/invitations/look", body: object{"token": p.invite(account.Viewer)}}
	},
	"acceptInvitation": func(_ place, who *client) call {
		return call{path: "/invitations/accept", body: object{"token": elsewhere(who.in).invite(account.Viewer)}}
	},

	"listProjects":  simply("/projects", nil),
	"createProject": simply("/projects", object{"name": "another"}),
	"getProject":    ofProject("", nil),
	"renameProject": ofProject("", object{"name": "renamed"}),
	"deleteProject": func(p place, who *client) call {
		// One of its own, with the same members.
		id := p.owner.post("/projects", object{"name": "doomed"}).want(201).text("id")
		p.in.sql(`insert into project_members (project_id, user_id, role)
			select $2, user_id, role from project_members where project_id = $1 and role <> 'owner' returning 0`, p.id, id)
		p.in.clock.advance(callerLife)
		return call{path: "/projects/" + id}
	},
	"leaveProject": func(p place, who *client) call {
		id := p.owner.post("/projects", object{"name": "left"}).want(201).text("id")
		p.in.sql(`insert into project_members (project_id, user_id, role)
			select $2, user_id, role from project_members where project_id = $1 and role <> 'owner' returning 0`, p.id, id)
		p.in.join(id, p.in.user(unique("second")), account.Owner)
		return call{path: "/projects/" + id + "/leave"}
	},
	"listMembers":     ofProject("/members", nil),
	"changeMember":    ofMember(object{"role": "editor"}),
	"removeMember":    ofMember(nil),
	"listInvitations": ofProject("/invitations", nil),
	"inviteToProject": ofProject("/invitations", object{"role": "viewer"}),
	"withdrawInvitation": func(p place, _ *client) call {
		path := "/projects/" + p.id + "/invitations"
		return call{path: path + "/" + p.owner.post(path, object{"role": "viewer"}).want(201).child("invitation").text("id")}
	},

	"listAccountInvitations": simply("/invitations", nil),
	"inviteToInstallation":   simply("/invitations", object{}),
	"withdrawAccountInvitation": func(p place, _ *client) call {
		return call{path: "/invitations/" + p.in.root().post("/invitations", object{}).want(201).child("invitation").text("id")}
	},
	"listUsers":       simply("/users", nil),
	"disableUser":     ofUser("/disable", nil),
	"enableUser":      ofUser("/enable", nil),
	"appointUser":     ofUser("/role", object{"role": "administrator"}),
	"endUserSessions": ofUser("/sessions", nil),
	"makeResetLink":   ofUser("/password-reset", nil),

	"testStep": func(p place, who *client) call {
		return call{path: "/step-tests", body: within(p, oneStep())}
	},
	"getStepTest": func(p place, who *client) call {
		// No more than five of a person may wait.
		p.in.sql(`with old as (update step_tests set status = 'failed' returning 0) select count(*) from old`)
		return call{path: "/step-tests/" + p.owner.post("/step-tests", within(p, oneStep())).want(202).text("id")}
	},

	"listWorkflows": listed("/workflows"),
	"createWorkflow": func(p place, _ *client) call {
		return call{path: "/workflows", body: within(p, example())}
	},
	"validateWorkflow": func(p place, _ *client) call {
		return call{path: "/workflows/validate", body: within(p, example())}
	},
	"getWorkflow":      of("", nil),
	"replaceWorkflow":  of("", logOnly("another")),
	"deleteWorkflow":   of("", nil),
	"enableWorkflow":   of("/enable", nil),
	"disableWorkflow":  of("/disable", nil),
	"listVersions":     of("/versions", nil),
	"getVersion":       of("/versions/1", nil),
	"listOccurrences":  of("/occurrences", nil),
	"explainFire":      of("/triggers/morning/explain?at=2026-11-23T09:00", nil),
	"previewBackfill":  of("/triggers/morning/backfills/preview", january()),
	"startBackfill":    of("/triggers/morning/backfills", january()),
	"listBackfills":    of("/triggers/morning/backfills", nil),
	"getBackfill":      ofBackfill(""),
	"pauseBackfill":    ofBackfill("/pause"),
	"resumeBackfill":   ofBackfill("/resume"),
	"cancelBackfill":   ofBackfill("/cancel"),
	"listDeliveries":   ofHook("/triggers/hook/deliveries"),
	"rotateTriggerURL": ofHook("/triggers/hook/rotate-url"),
	"getDelivery":      ofDelivery(""),
	"replayDelivery":   ofDelivery("/replay"),

	"listCalendars": listed("/calendars"),
	"createCalendar": func(p place, _ *client) call {
		return call{path: "/calendars", body: within(p, object{"name": unique("days"), "dates": list{}})}
	},
	"getCalendar":     ofCalendar(false),
	"replaceCalendar": ofCalendar(true),
	"deleteCalendar":  ofCalendar(false),
	"previewSchedule": func(p place, _ *client) call {
		calendar := unique("free days")
		p.owner.post("/calendars", within(p, object{"name": calendar, "dates": list{}})).want(201)
		return call{path: "/schedules/preview", body: within(p, object{"cron": "0 9 * * *", "calendar": calendar})}
	},

	"listSecrets":    listed("/secrets"),
	"putSecret":      ofValue("secrets", object{"value": "another value"}),
	"deleteSecret":   ofValue("secrets", nil),
	"listVariables":  listed("/variables"),
	"putVariable":    ofValue("variables", object{"value": 2}),
	"deleteVariable": ofValue("variables", nil),

	"startRun":     of("/runs", object{}),
	"listRuns":     listed("/runs"),
	"getRun":       ofRun("", nil),
	"listLogs":     ofRun("/logs", nil),
	"listChildren": ofRun("/children", nil),
	"cancelRun":    ofRun("/cancel", nil),
	"rerunRun": func(p place, who *client) call {
		c := ofRun("", nil)(p, who)
		p.owner.post(c.path+"/cancel", nil).want(202)
		return call{path: c.path + "/rerun"}
	},
	"resolveRun": func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		return call{path: "/runs/" + p.owner.held(path) + "/resolve", body: object{"step": "fetch", "decision": "retry"}}
	},
	"listApprovals":  listed("/approvals"),
	"getApproval":    ofQuestion("", nil),
	"decideApproval": ofQuestion("/decide", object{"decision": "approve"}),
	"getStats":       listed("/stats"),
	"getOverview":    listed("/overview"),
	"streamEvents": func(p place, _ *client) call {
		_, created := p.owner.create(example())
		return call{path: "/events?topics=workflow:" + created.text("id")}
	},

	"listActions": simply("/actions", nil),
	"listWorkers": simply("/workers", nil),
	"listQueues":  simply("/queues", nil),
	"limitQueue":  simply("/queues/bulk", object{"max_concurrent": 5}),
	"pauseQueue":  simply("/queues/bulk/pause", nil),
	"resumeQueue": simply("/queues/bulk/resume", nil),
	"limitProject": func(p place, _ *client) call {
		return call{path: "/projects/" + p.id + "/limits", body: object{"max_concurrent": nil}}
	},
	"listHosts": simply("/hosts", nil),
	"limitHost": simply("/hosts/api.example.com", object{"max_concurrent": 5}),
	"freeHost":  simply("/hosts/api.example.com", nil),
}

// ofProject is a call about the place itself.
func ofProject(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call { return call{path: "/projects/" + p.id + rest, body: body} }
}

// ofMember is a call about a member of the place.
func ofMember(body any) func(place, *client) call {
	return func(p place, _ *client) call {
		member := p.in.user(unique("member"))
		p.in.join(p.id, member, account.Viewer)
		return call{path: "/projects/" + p.id + "/members/" + member.me.text("id"), body: body}
	}
}

// ofUser is a call about an account.
func ofUser(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		return call{path: "/users/" + p.in.user(unique("somebody")).me.text("id") + rest, body: body}
	}
}

// another lets a call that ends sessions be made by somebody who has none to lose.
func another(who *client) []with {
	if who.token == "" || strings.HasPrefix(who.token, "orq_") {
		return nil
	}
	return []with{header("Authorization", "Bearer "+who.in.user(unique("anybody")).token)}
}

// elsewhere is a project that nobody is a member of yet.
func elsewhere(in *installation) place { return in.place(unique("elsewhere")) }

// newcomerTo is the registration of somebody new.
func newcomerTo(path string) call {
	name := unique("new")
	return call{path: path, body: object{"email": name + "@example.org", "username": name, "password": password}}
}

// logoutCall logs out another session of the caller's, so that theirs goes on.
func logoutCall(p place, _ *client) call {
	another := p.in.nobody(false)
	another.token = another.login(p.owner.me.text("email")).want(200).text("access_token")
	return call{path: "/auth/logout", with: []with{header("Authorization", "Bearer "+another.token)}}
}
