package api_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/guildmember145/orquestador-plataforma/pkg/dispatch"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/secret"
)

// asks lets a step of a run ask a question, as a worker does, and answers the question's address.
func (c *client) asks(path, message string) (question, id string) {
	c.in.t.Helper()
	id = c.post(path+"/runs", nil).want(202).text("id")
	key := postgres.ChildKey{ParentID: uuid.MustParse(id), Step: "fetch"}
	row, err := postgres.Approvals{Q: c.in.db}.Ask(c.in.t.Context(), key, uuid.Must(uuid.NewV7()), message, 0)
	if err != nil {
		c.in.t.Fatal(err)
	}
	w := c.in.work(id)
	step := attempt("fetch", 1, run.Held, "", "waits for approval: "+message)
	step.FinishedAt = nil
	w.record(postgres.Record{Steps: []postgres.StepRow{step}, Outcome: postgres.Hold, Reason: "step fetch: waits for approval"})
	return "/approvals/" + row.ID.String(), id
}

func TestAQuestionIsListedAndAnswered(t *testing.T) {
	in := install(t)
	ana, ben := in.user("ana"), in.user("ben")
	path, _ := ana.create(example())
	first, _ := ana.asks(path, "Pay 100 €?")
	second, id := ana.asks(path, "Pay 200 €?")
	list := ana.get("/approvals?pending=true").want(200).items("items")
	if len(list) != 2 || list[0].text("message") != "Pay 200 €?" || list[0].text("run_id") != id || list[0].text("state") != "pending" {
		t.Errorf("the questions: %v", list)
	}
	if list := ben.get("/approvals").want(200).items("items"); len(list) != 0 {
		t.Errorf("somebody else sees %v", list)
	}
	ben.get(second).refused(404, "not_found")
	ben.post(second+"/decide", object{"decision": "approve"}).refused(404, "not_found")
	ana.post(second+"/decide", object{"decision": "maybe"}).refused(422, "validation_failed")
	ana.post(second+"/decide", object{"note": "x"}).refused(422, "validation_failed")

	answer := ana.post(second+"/decide", object{"decision": "reject", "note": "too much"}).want(200)
	if answer.text("state") != "rejected" || answer.text("decided_by") != "ana" || answer.text("note") != "too much" {
		t.Errorf("the answer: %v", answer)
	}
	ana.post(second+"/decide", object{"decision": "approve"}).refused(409, "decided")
	if r := ana.get("/runs/" + id).want(200); r.text("status") != "queued" {
		t.Errorf("the run does not go on: %v", r)
	}
	// What is held for approval is no step that nobody knows about.
	list = ana.get("/approvals?pending=true").want(200).items("items")
	if len(list) != 1 || "/approvals/"+list[0].text("id") != first {
		t.Errorf("the questions that are left: %v", list)
	}
	ana.post("/runs/"+list[0].text("run_id")+"/resolve", object{"step": "fetch", "decision": "succeeded"}).refused(422, "validation_failed")
}

// approvalLink is where the question of a run's step fetch is answered without an account.
func approvalLink(t *testing.T, run string) string {
	t.Helper()
	keys, err := secret.NewKeyring("a key that is long enough for tests", "")
	if err != nil {
		t.Fatal(err)
	}
	return "/approval-links/" + dispatch.ApprovalToken(keys, uuid.MustParse(run), "fetch")
}

// Whoever has the link may answer; a link that nobody made leads nowhere, and one whose step has not asked says so.
func TestAQuestionIsAnsweredByItsLink(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	_, id := ana.asks(path, "Pay 100 €?")
	guest := in.nobody(false)
	asked := guest.get(approvalLink(t, id)).want(200)
	if asked.text("message") != "Pay 100 €?" || asked.text("state") != "pending" || asked["run_id"] != nil {
		t.Errorf("the question: %v", asked)
	}
	good := approvalLink(t, id)
	for _, bad := range []string{good[:len(good)-1], good + "A", "/approval-links/x", "/approval-links/" + id} {
		guest.get(bad).refused(404, "not_found")
		guest.post(bad, object{"decision": "approve", "name": "Eva"}).refused(404, "not_found")
	}
	silent := ana.post(path+"/runs", nil).want(202).text("id")
	guest.get(approvalLink(t, silent)).refused(404, "not_asked")
	guest.post(good, object{"decision": "approve"}).refused(422, "validation_failed")
	guest.post(good, object{"decision": "approve", "name": " "}).refused(422, "validation_failed")
	asked = guest.post(good, object{"decision": "approve", "name": " Eva ", "note": "it is due"}).want(200)
	if asked.text("state") != "approved" || asked.text("decided_by") != "Eva (link)" || asked.text("note") != "it is due" {
		t.Errorf("the answer: %v", asked)
	}
	guest.post(good, object{"decision": "reject", "name": "Eva"}).refused(409, "decided")
}

// Nobody is asked any more once the run is over.
func TestAQuestionEndsWithItsRun(t *testing.T) {
	in := install(t)
	ana := in.user("ana")
	path, _ := ana.create(example())
	question, id := ana.asks(path, "Pay 100 €?")
	ana.post("/runs/"+id+"/cancel", nil).want(202)
	if q := ana.get(question).want(200); q.text("state") != "withdrawn" {
		t.Errorf("the question of a cancelled run: %v", q)
	}
	ana.post(question+"/decide", object{"decision": "approve"}).refused(409, "run_finished")
}
