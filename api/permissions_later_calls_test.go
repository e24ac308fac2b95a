package api_test

import (
	"maps"
	"strings"
)

func init() {
	maps.Copy(calls, draftCalls)
	maps.Copy(calls, alertCalls)
	maps.Copy(calls, linkCalls)
	maps.Copy(calls, auditCalls)
	maps.Copy(calls, limitCalls)
}

// ofDraft is a call about the draft of a workflow of the place.
func ofDraft(rest string, body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		p.owner.put(path+"/draft", drafted(example())).want(200)
		return call{path: path + "/draft" + rest, body: body}
	}
}

var draftCalls = map[string]func(p place, who *client) call{
	"createDraft": func(p place, _ *client) call {
		return call{path: "/workflows/drafts", body: within(p, drafted(object{}))}
	},
	"getDraft":     ofDraft("", nil),
	"saveDraft":    ofDraft("", drafted(object{"name": "another"})),
	"discardDraft": ofDraft("", nil),
	"planDraft":    ofDraft("/plan", nil),
	"publishDraft": ofDraft("/publish", nil),
	"runDraft":     ofDraft("/runs", object{}),
}

func (p place) channel() string {
	p.in.t.Helper()
	return p.owner.post("/alert-channels", within(p, channelBody())).want(201).text("id")
}

func channelBody() object {
	return object{"name": unique("channel"), "action": "http_endpoint", "config": object{"url": "https://example.com/alerts"}}
}

// ofChannel is a call about a channel of the place.
func ofChannel(rest string, body func() object) func(place, *client) call {
	return func(p place, _ *client) call {
		c := call{path: "/alert-channels/" + p.channel() + rest}
		if body != nil {
			c.body = body()
		}
		return c
	}
}

func (p place) ruleBody() object {
	return object{"name": unique("rule"), "on": list{"failure"}, "channels": list{p.channel()}}
}

// ofRule is a call about a rule of the place; change gives it another name.
func ofRule(change bool) func(place, *client) call {
	return func(p place, _ *client) call {
		c := call{path: "/alert-rules/" + p.owner.post("/alert-rules", within(p, p.ruleBody())).want(201).text("id")}
		if change {
			c.body = p.ruleBody()
		}
		return c
	}
}

// ofAlert is a call about a message of the place that did not arrive.
func ofAlert(rest string) func(place, *client) call {
	return func(p place, _ *client) call {
		id := p.owner.post("/alert-channels/"+p.channel()+"/test", object{}).want(202).text("id")
		p.in.sql(`with failed as (update alert_deliveries set state = 'failed' where alert_id = $1) select 0`, id)
		return call{path: "/alerts/" + id + rest}
	}
}

var alertCalls = map[string]func(p place, who *client) call{
	"getMute":          of("/mute", nil),
	"muteWorkflow":     of("/mute", object{"for": "2h"}),
	"unmuteWorkflow":   of("/mute", nil),
	"listChannelTypes": simply("/alert-channel-types", nil),
	"listChannels":     listed("/alert-channels"),
	"createChannel": func(p place, _ *client) call {
		return call{path: "/alert-channels", body: within(p, channelBody())}
	},
	"getChannel":     ofChannel("", nil),
	"replaceChannel": ofChannel("", channelBody),
	"deleteChannel":  ofChannel("", nil),
	"testChannel":    ofChannel("/test", func() object { return object{} }),
	"listRules":      listed("/alert-rules"),
	"createRule": func(p place, _ *client) call {
		return call{path: "/alert-rules", body: within(p, p.ruleBody())}
	},
	"getRule":     ofRule(false),
	"replaceRule": ofRule(true),
	"deleteRule":  ofRule(false),
	"listAlerts":  listed("/alerts"),
	"getAlert":    ofAlert(""),
	"retryAlert":  ofAlert("/retry"),
}

// ofLink is a call by the link to a question.
func ofLink(body any) func(place, *client) call {
	return func(p place, _ *client) call {
		path, _ := p.owner.create(example())
		_, run := p.owner.asks(path, "May it go on?")
		return call{path: approvalLink(p.in.t, run), body: body}
	}
}

var linkCalls = map[string]func(p place, who *client) call{
	"getAsked":    ofLink(nil),
	"decideAsked": ofLink(object{"decision": "approve", "name": "Eva"}),
}

// peopleOnly are operations that a token with the scope cannot call all the same.
func peopleOnly(operation string) bool { return strings.HasSuffix(operation, "/leave") }

var limitCalls = map[string]func(p place, who *client) call{
	"getEgress":       ofProject("/egress", nil),
	"restrictEgress":  ofProject("/egress", object{"only": list{"api.example.com"}}),
	"allowEgress":     ofProject("/egress/allow", object{"allow": list{"10.1.0.0/16"}}),
	"getQuota":        ofProject("/quota", nil),
	"setQuota":        ofProject("/quota", object{"workflows": 500, "runs_per_minute": nil, "concurrent_runs": nil, "storage": nil}),
	"listAllProjects": simply("/installation/projects", nil),
}
