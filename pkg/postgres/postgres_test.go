package postgres_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/guildmember145/orquestador-plataforma/pkg/account"
	"github.com/guildmember145/orquestador-plataforma/pkg/fault"
	"github.com/guildmember145/orquestador-plataforma/pkg/postgres"
	"github.com/guildmember145/orquestador-plataforma/pkg/run"
	"github.com/guildmember145/orquestador-plataforma/pkg/testkit/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func open(t *testing.T, o postgres.Options) *postgres.DB {
	t.Helper()
	o.Application = "test"
	db, err := postgres.Open(t.Context(), pgtest.DB(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// seed fills the tables as a busy installation does, so that the planner has a choice.
func seed(t *testing.T, db *postgres.DB) (project, workflow uuid.UUID) {
	t.Helper()
	project, workflow = uuid.New(), uuid.New()
	for _, sql := range []string{
		`insert into projects (id, name) values ('` + project.String() + `', 'p'), (gen_random_uuid(), 'q')`,
		`insert into workflows (id, project_id, name, enabled, version)
		 select case g when 1 then '` + workflow.String() + `'::uuid else gen_random_uuid() end, p.id, 'w' || g, true, 1
		   from projects p, generate_series(1, 2000) g where p.name = 'p'`,
		`insert into workflow_versions (workflow_id, version, definition) select id, 1, '{"name":"w","steps":[]}' from workflows`,
		`insert into triggers (id, workflow_id, project_id, key, version, spec, anchor_at, enabled, due_at)
		 select gen_random_uuid(), id, project_id, 't', 1, '{"id":"t","type":"schedule","cron":"@daily"}', now(), true,
		        now() + (random() * interval '1 day') from workflows`,
		`insert into occurrences (trigger_id, workflow_id, fire_at, outcome)
		 select t.id, t.workflow_id, now() - g * interval '1 hour', 'ran' from triggers t, generate_series(1, 10) g`,
		`insert into runs (id, project_id, workflow_id, version, trigger, status, created_at)
		 select (lpad(to_hex((extract(epoch from now() - g * interval '1 hour') * 1000)::bigint), 12, '0') || '7' ||
		         substr(md5(random()::text), 1, 19))::uuid, -- as UUIDv7: by time
		        w.project_id, w.id, 1, 'manual', case when g % 50 = 0 then 'failed' else 'succeeded' end, now() - g * interval '1 hour'
		   from workflows w, generate_series(1, 15) g`,
		`insert into run_live (id, project_id, workflow_id, due_at, enqueued_at) select id, project_id, workflow_id, now(), case when random() < 0.02 then now() end from runs where random() < 0.3`,
		`insert into trigger_addresses (token, trigger_id) select id::text, id from triggers`,
		`insert into heartbeats (trigger_id) select id from triggers`,
		`insert into delivery_keys (trigger_id, key, run_id, expires_at) select id, '\\x01', id, now() from triggers`,
		`insert into deliveries (id, project_id, workflow_id, trigger_id, verdict, method, headers, size, address)
		 select r.id, r.project_id, r.workflow_id, t.id, 'accepted', 'POST', '{}', 0, '' from runs r join triggers t using (workflow_id)`,
		`insert into run_counts select r.project_id, k, date_trunc('hour', r.created_at), r.status, 20, 0, count(*)
		   from runs r, unnest(array[r.workflow_id, r.project_id]) k group by 1, 2, 3, 4`,
		`insert into users (id, email, username, role) select gen_random_uuid(), g || '@example.org', 'u' || g, 'member' from generate_series(1, 5000) g`,
		`insert into identities (id, user_id, issuer, subject, email) select gen_random_uuid(), id, 'https://id.example.com', id::text, email from users`,
		`insert into sso_attempts (state, browser, issuer, nonce, next, expires_at) select id::text::bytea, '', '', '', '', now() from users`,
		`insert into step_runs (run_id, step, attempt, status) select id, 's', 1, 'succeeded' from runs`,
		`insert into run_logs (run_id, seq, at, step, attempt, level, message) select id, 1, now(), 's', 1, 'info', 'm' from runs`,
	} {
		_, err := db.Exec(t.Context(), sql)
		must(t, err)
	}
	_, err := db.Exec(t.Context(), `analyze`)
	must(t, err)
	return project, workflow
}

// explaining asks for the plan of every statement before it runs it, and complains about reading whole tables and about
// comparing each row of a batch with each of another.
type explaining struct {
	postgres.Querier
	t *testing.T
}

var wholeTable = regexp.MustCompile(`Seq Scan on (runs|run_live|triggers|occurrences|step_runs|run_logs|unsuccessful_runs|run_counts|workflows|workflow_versions|trigger_addresses|deliveries|delivery_keys|heartbeats|identities|sso_attempts)(_[0-9]+|_other|_rest)?\b.*`)

var everyPair = regexp.MustCompile(`Join Filter: \(\w+\.(run_)?id = (l|f)(_\d+)?\.id\)`)

// empty is the cost of a partition that has no rows: there is nothing to read.
const empty = "cost=0.00..0.00 "

func (e explaining) explain(ctx context.Context, sql string, args []any) {
	e.t.Helper()
	rows, err := e.Querier.Query(ctx, "explain "+sql, args...)
	must(e.t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(e.t, err)
	plan := strings.Join(lines, "\n")
	if pairs := everyPair.FindString(plan); pairs != "" {
		e.t.Errorf("%s in the plan of\n%s\n%s", pairs, sql, plan)
	}
	for _, scan := range wholeTable.FindAllString(plan, -1) {
		if !strings.Contains(scan, empty) {
			e.t.Errorf("%s in the plan of\n%s\n%s", scan, sql, plan)
		}
	}
}

func (e explaining) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	e.explain(ctx, sql, args)
	return e.Querier.Query(ctx, sql, args...)
}

func (e explaining) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	e.explain(ctx, sql, args)
	return e.Querier.QueryRow(ctx, sql, args...)
}

func (e explaining) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	e.explain(ctx, sql, args)
	return e.Querier.Exec(ctx, sql, args...)
}

// The statements that lists and the engine depend on find their rows by an index.
func TestNoListOrClaimReadsAWholeTable(t *testing.T) {
	db := open(t, postgres.Options{})
	project, workflow := seed(t, db)
	projects, now, id, second := []uuid.UUID{project}, time.Now(), uuid.New(), time.Second
	q := explaining{db, t}
	ctx := t.Context()
	runs, live := postgres.Runs{Q: q}, postgres.Live{Q: q}
	check := func(_ any, err error) {
		t.Helper()
		if err != nil && !errors.Is(err, postgres.ErrNotFound) {
			t.Fatal(err)
		}
	}
	for _, f := range []postgres.RunFilter{
		{},
		{WorkflowID: &workflow},
		{WorkflowID: &workflow, Statuses: []run.Status{run.Failed}},
		{WorkflowID: &workflow, Statuses: []run.Status{run.Running}, Before: &id},
		{Before: &id},
		{From: &now},
		{Trigger: run.Manual},
		{Trigger: run.Webhook},
		{Statuses: []run.Status{run.Failed}},
		{Statuses: []run.Status{run.Queued, run.Running}},
		{MinDuration: &second, WorkflowID: &workflow},
		{MaxDuration: &second, Statuses: []run.Status{run.Failed}},
	} {
		f.Projects, f.Limit = projects, 51
		check(runs.List(ctx, f))
	}
	check(runs.Get(ctx, projects, id))
	check(runs.Some(ctx, projects, []uuid.UUID{id}))
	check(runs.Steps(ctx, id))
	check(runs.Logs(ctx, id, "", 0, 100))
	check(runs.LastSeq(ctx, id))
	key := postgres.ChildKey{ParentID: id, Step: "s"}
	children := postgres.Children{Q: q}
	check(children.Of(ctx, key, 1000))
	check(children.Ended(ctx, key, []int32{0, 1}))
	check(children.List(ctx, projects, id, "", postgres.ChildPlace{Attempt: -1}, 51))
	check(children.Orphans(ctx, 100))
	check(postgres.Approvals{Q: q}.List(ctx, postgres.ApprovalFilter{Projects: projects, Pending: true, Limit: 51}))
	check(postgres.Approvals{Q: q}.List(ctx, postgres.ApprovalFilter{Projects: projects, RunID: &id, Limit: 51}))
	check(postgres.Retention{Q: q}.DropChildren(ctx, 1000*time.Hour, 100))
	check(postgres.Retention{Q: q}.DropApprovals(ctx, 1000*time.Hour, 100))
	stats := postgres.Stats{Q: q}
	check(stats.Counts(ctx, postgres.CountFilter{Projects: projects, From: now.Add(-time.Hour), To: now, Unit: "hour", Zone: "UTC"}))
	check(stats.Counts(ctx, postgres.CountFilter{Projects: projects, WorkflowID: &workflow, From: now.Add(-time.Hour), To: now, Unit: "day", Zone: "UTC"}))
	check(postgres.Queues{Q: q}.InHand(ctx, projects, time.Minute, time.Minute, 200))
	check(postgres.Retention{Q: q}.JoinCounts(ctx, 100))
	check(postgres.Retention{Q: q}.DropCounts(ctx, 1000*time.Hour, 100))
	workflows := postgres.Workflows{Q: q}
	check(workflows.Get(ctx, projects, workflow))
	check(workflows.List(ctx, postgres.WorkflowFilter{Projects: projects, Limit: 51}))
	check(workflows.RecentRuns(ctx, []uuid.UUID{workflow}, 14))
	check(workflows.Versions(ctx, workflow, 0, 51))
	check(postgres.Triggers{Q: q}.Of(ctx, workflow))
	_, _, err := postgres.Triggers{Q: q}.NextFire(ctx)
	check(nil, err)
	check(postgres.Triggers{Q: q}.LiveOf(ctx, []uuid.UUID{id}))
	check(nil, postgres.Triggers{Q: q}.Advance(ctx, map[uuid.UUID]postgres.Step{id: {Next: &now, Due: &now}}))
	check(postgres.Occurrences{Q: q}.List(ctx, postgres.LedgerFilter{WorkflowID: workflow, Limit: 51}))
	check(postgres.Occurrences{Q: q}.List(ctx, postgres.LedgerFilter{WorkflowID: workflow, Trigger: "t", Before: &postgres.FireKey{TriggerID: id, FireAt: now}, Limit: 51}))
	check(live.Claim(ctx, "w", []run.Ticket{{ID: id}}))
	check(live.Beat(ctx, "w", []postgres.Alive{{ID: id, Deadline: &now}}))
	check(live.Write(ctx, "w", []postgres.Record{{RunID: id, Outcome: postgres.Finish, Status: run.Succeeded}}))
	check(live.End(ctx, []uuid.UUID{id}, run.Cancelled, "x"))
	check(live.OfWorkflow(ctx, workflow))
	check(runs.Ended(ctx, []uuid.UUID{id}, 20, 1000))
	check(workflows.Named(ctx, project, "x"))
	check(postgres.Triggers{Q: q}.Stamps(ctx, []uuid.UUID{id}))
	check(postgres.Triggers{Q: q}.Failing(ctx, []uuid.UUID{id}))
	check(postgres.Addresses{Q: q}.Find(ctx, []string{"x"}))
	check(postgres.Addresses{Q: q}.Of(ctx, []uuid.UUID{id}))
	deliveries := postgres.Deliveries{Q: q}
	check(deliveries.List(ctx, postgres.DeliveryFilter{TriggerID: id, Limit: 51}))
	check(deliveries.List(ctx, postgres.DeliveryFilter{TriggerID: id, Verdict: postgres.VerdictRefused, Before: &id, Limit: 51}))
	check(deliveries.Get(ctx, projects, id))
	check(deliveries.Counts(ctx, id, now.Add(-time.Minute), now))
	check(deliveries.Reserve(ctx, []postgres.DeliveryKey{{TriggerID: id, RunID: id, Life: time.Minute}}))
	check(postgres.Heartbeats{Q: q}.Note(ctx, []postgres.Signal{{TriggerID: id, Kind: postgres.SignalPing}}))
	check(postgres.Heartbeats{Q: q}.Of(ctx, []uuid.UUID{id}))
	_, _, err = postgres.Identities{Q: q}.Use(ctx, "https://id.example.com", "x", "")
	check(nil, err)
	_, _, err = postgres.Identities{Q: q}.List(ctx, id)
	check(nil, err)
	check(postgres.Attempts{Q: q}.Take(ctx, []byte("x")))
	check(live.Evict(ctx, "w", run.Ticket{ID: id}))
	check(live.LockHeld(ctx, id))
	check(nil, live.Unhold(ctx, id))
	check(runs.Underway(ctx, []uuid.UUID{id}))
	check(runs.Decide(ctx, postgres.StepRow{RunID: id, Step: "s", Attempt: 1, Status: run.Failed}))
	check(nil, runs.Overrun(ctx, postgres.StepRow{RunID: id, Step: "s", Attempt: 1}, "x"))
	check(nil, runs.Say(ctx, []postgres.LogRow{{RunID: id, Level: "info", Message: "x"}}))
	check(nil, live.NotEnqueued(ctx, []uuid.UUID{id}))
	parts, err := postgres.Storage{Q: db}.Parts(ctx)
	must(t, err)
	for _, part := range parts {
		check(postgres.Storage{Q: q}.Weigh(ctx, part))
	}
	must(t, db.InTx(ctx, func(tx postgres.Querier) error {
		_, err := postgres.Triggers{Q: explaining{tx, t}}.LockDue(ctx, 500)
		return err
	}))
}

// A plan made while the tables were empty must still find its rows by key when they are full: the worker's statements
// are planned once.
func TestKeyedPlansDoNotDependOnTheTablesSize(t *testing.T) {
	db := open(t, postgres.Options{Keyed: true})
	q := explaining{db, t}
	byAge := regexp.MustCompile(`run_live_due`)
	rows, err := q.Querier.Query(t.Context(), `explain update run_live l set state = 'running'
		from unnest($1::uuid[]) u (id) where l.id = u.id and l.due_at + interval '0' <= now()`, []uuid.UUID{uuid.New()})
	must(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if byAge.MatchString(strings.Join(plan, "\n")) || !strings.Contains(strings.Join(plan, "\n"), "run_live_pkey") {
		t.Errorf("the claim's plan on an empty table:\n%s", strings.Join(plan, "\n"))
	}
	live := postgres.Live{Q: q}
	_, err = live.Claim(t.Context(), "w", []run.Ticket{{ID: uuid.New()}})
	must(t, err)
	_, err = live.Write(t.Context(), "w", []postgres.Record{{RunID: uuid.New(), Outcome: postgres.Finish}})
	must(t, err)
	_, err = live.OpenGates(t.Context())
	must(t, err)
	_, err = live.Release(t.Context(), run.DefaultQueue, uuid.Nil, 10)
	must(t, err)
}

// Scheduler and worker, whose connections never read whole tables, find their rows by keys among very many.
func TestTheEngineFindsItsRunsByKey(t *testing.T) {
	db := open(t, postgres.Options{Keyed: true})
	_, _ = seed(t, db)
	q := explaining{db, t}
	live, ctx := postgres.Live{Q: q}, t.Context()
	check := func(_ any, err error) {
		t.Helper()
		must(t, err)
	}
	check(live.OpenGates(ctx))
	check(live.Release(ctx, run.DefaultQueue, uuid.Nil, 100))
	check(live.Retake(ctx, time.Minute, 100))
	check(live.ForgetEnqueued(ctx))
	check(live.NextDue(ctx, time.Second))
	check(live.ClaimReleased(ctx, "w", 10))
	check(postgres.Queues{Q: q}.List(ctx, true))
}

// One run, three tickets: a stale one, the good one, and the good one again.
func TestARunIsClaimedOnce(t *testing.T) {
	db := open(t, postgres.Options{})
	_, workflow := seed(t, db)
	fresh := newRun(t, db, workflow)
	live := postgres.Live{Q: db}
	claim := func(attempt int) int {
		t.Helper()
		claimed, err := live.Claim(t.Context(), "w", []run.Ticket{{ID: fresh, Attempt: attempt}})
		must(t, err)
		return len(claimed)
	}
	if n := claim(7); n != 0 {
		t.Error("a ticket of another attempt took the run")
	}
	if n := claim(0); n != 1 {
		t.Error("the good ticket did not take the run")
	}
	if n := claim(0); n != 0 {
		t.Error("the same ticket took the run twice")
	}
}

// A batch in which one record's worker has lost its run writes the others.
func TestTheFenceIsPerRun(t *testing.T) {
	db := open(t, postgres.Options{})
	_, workflow := seed(t, db)
	mine, lost := newRun(t, db, workflow), newRun(t, db, workflow)
	live := postgres.Live{Q: db}
	claimed, err := live.Claim(t.Context(), "w", []run.Ticket{{ID: mine}, {ID: lost}})
	must(t, err)
	if len(claimed) != 2 {
		t.Fatalf("claimed %d", len(claimed))
	}
	_, err = db.Exec(t.Context(), `update run_live set beat_at = now() - interval '1 minute' where id = $1`, lost)
	must(t, err)
	taken, err := live.TakeLost(t.Context(), 15*time.Second, 10)
	must(t, err)
	if len(taken) != 1 || taken[0].ID != lost || taken[0].Worker != "w" {
		t.Fatalf("taken back: %+v", taken)
	}
	finish := func(id uuid.UUID) postgres.Record {
		return postgres.Record{RunID: id, Attempt: 1, Outcome: postgres.Finish, Status: run.Succeeded, Steps: []postgres.StepRow{{Step: "s2", Attempt: 1, Status: run.Succeeded}}}
	}
	written, err := live.Write(t.Context(), "w", []postgres.Record{finish(mine), finish(lost)})
	must(t, err)
	if _, ok := written[mine]; !ok || len(written) != 1 {
		t.Errorf("written: %v", written)
	}
	steps, err := postgres.Runs{Q: db}.Steps(t.Context(), lost)
	must(t, err)
	if len(steps) != 0 {
		t.Errorf("the zombie's steps were written: %v", steps)
	}
}

func newRun(t *testing.T, db *postgres.DB, workflow uuid.UUID) uuid.UUID {
	t.Helper()
	var project uuid.UUID
	must(t, db.QueryRow(t.Context(), `select project_id from workflows where id = $1`, workflow).Scan(&project))
	id := uuid.Must(uuid.NewV7())
	released, err := postgres.Runs{Q: db}.Insert(t.Context(), []postgres.NewRun{
		{ID: id, ProjectID: project, WorkflowID: workflow, Version: 1, Trigger: run.Manual},
	}, map[string]int{run.DefaultQueue: 1})
	must(t, err)
	if len(released) != 1 {
		t.Fatal("the run was not released although there was room")
	}
	return id
}

// The ledger keeps what it has: only a fire that an edit took back may become something else.
func TestALedgerRowStays(t *testing.T) {
	db := open(t, postgres.Options{})
	ledger := postgres.Occurrences{Q: db}
	at := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	row := postgres.OccurrenceRow{TriggerID: uuid.New(), WorkflowID: uuid.New(), FireAt: at, Outcome: postgres.OutcomeSuperseded}
	insert := func(outcome string) bool {
		t.Helper()
		row.Outcome = outcome
		fresh, err := ledger.Insert(t.Context(), []postgres.OccurrenceRow{row})
		must(t, err)
		return fresh[postgres.FireKey{TriggerID: row.TriggerID, FireAt: at}]
	}
	for _, c := range []struct {
		outcome string
		fresh   bool
	}{{postgres.OutcomeSuperseded, true}, {postgres.OutcomeRan, true}, {postgres.OutcomeRan, false}, {postgres.OutcomeSuperseded, false}} {
		if got := insert(c.outcome); got != c.fresh {
			t.Errorf("%s: new %v, want %v", c.outcome, got, c.fresh)
		}
	}
}

func TestTheFirstToRegisterIsAdministrator(t *testing.T) {
	db := open(t, postgres.Options{Conns: 8})
	roles := make(chan account.Role, 5)
	for i := range 5 {
		go func() {
			u := account.User{ID: uuid.New(), Email: string(rune('a'+i)) + "@example.com", Username: string(rune('a' + i)), Role: account.Member}
			err := db.InTx(context.WithoutCancel(t.Context()), func(q postgres.Querier) (err error) {
				u, err = postgres.Users{Q: q}.Register(context.WithoutCancel(t.Context()), u, "h")
				return err
			})
			if err != nil {
				t.Error(err)
			}
			roles <- u.Role
		}()
	}
	administrators := 0
	for range 5 {
		if <-roles == account.Administrator {
			administrators++
		}
	}
	if administrators != 1 {
		t.Errorf("%d administrators", administrators)
	}
	err := db.InTx(t.Context(), func(q postgres.Querier) error {
		_, err := postgres.Users{Q: q}.Register(t.Context(), account.User{ID: uuid.New(), Email: "A@example.com", Username: "z", Role: account.Member}, "h")
		return err
	})
	if f, ok := fault.Of(err); !ok || f.Kind != fault.Conflict || f.Fields[0].Pointer != "/email" {
		t.Errorf("the same address in capitals: %v", err)
	}
}

// What the database says about the input is a fault; what it says about itself is not.
func TestErrorsAreTranslated(t *testing.T) {
	db := open(t, postgres.Options{})
	for sql, kind := range map[string]fault.Kind{
		`select 1/0`:                     fault.Invalid,
		`select '{"a":"\u0000"}'::jsonb`: fault.Invalid,
		`insert into project_members values (gen_random_uuid(), gen_random_uuid(), 'owner', now())`: fault.Conflict,
	} {
		err := db.InTx(t.Context(), func(q postgres.Querier) error {
			_, err := q.Exec(t.Context(), sql)
			return err
		})
		if !fault.Is(err, kind) {
			t.Errorf("%s: %v, want %s", sql, err, kind)
		}
	}
	err := db.InTx(t.Context(), func(q postgres.Querier) error {
		_, err := q.Exec(t.Context(), `select * from nowhere`)
		return err
	})
	if _, ok := fault.Of(err); ok || err == nil {
		t.Errorf("a mistake of ours became a fault: %v", err)
	}
}

// A server that takes no writes, as a replica, is one to wait for: nothing is wrong with what it was asked.
func TestADatabaseThatTakesNoWritesIsAway(t *testing.T) {
	db := open(t, postgres.Options{})
	err := db.InTx(t.Context(), func(q postgres.Querier) error {
		if _, err := q.Exec(t.Context(), `set transaction read only`); err != nil {
			return err
		}
		_, err := postgres.Live{Q: q}.ForgetEnqueued(t.Context())
		return err
	})
	if !postgres.Away(err) {
		t.Errorf("not away: %v", err)
	}
}

// A connection that an operator ends between two statements of a transaction is no mistake of ours.
func TestAConnectionThatDiesMeansAway(t *testing.T) {
	db := open(t, postgres.Options{})
	for _, after := range []string{"", "select 1", "commit"} {
		err := db.InTx(t.Context(), func(q postgres.Querier) error {
			var pid int
			if err := q.QueryRow(t.Context(), `select pg_backend_pid()`).Scan(&pid); err != nil {
				return err
			}
			if _, err := db.Exec(t.Context(), `select pg_terminate_backend($1, 10000)`, pid); err != nil {
				return err
			}
			if _, err := q.Exec(t.Context(), `select 1`); err == nil || !postgres.Away(err) {
				t.Errorf("the first statement after: %v", err)
			}
			if after == "" {
				return nil
			}
			_, err := q.Exec(t.Context(), after)
			return err
		})
		if err == nil || !postgres.Away(err) {
			t.Errorf("not away after %q: %v", after, err)
		}
	}
}

func TestMigrationsMayRunAtOnce(t *testing.T) {
	url := pgtest.Empty(t)
	errs := make(chan error, 3)
	for range 3 {
		go func() { errs <- postgres.Migrate(context.WithoutCancel(t.Context()), url) }()
	}
	for range 3 {
		must(t, <-errs)
	}
	db, err := postgres.Open(t.Context(), url, postgres.Options{})
	must(t, err)
	t.Cleanup(db.Close)
	must(t, db.Ready(t.Context()))
}

func TestADatabaseWithoutItsSchemaIsNotReady(t *testing.T) {
	db, err := postgres.Open(t.Context(), pgtest.Empty(t), postgres.Options{})
	must(t, err)
	t.Cleanup(db.Close)
	if err := db.Ready(t.Context()); !errors.Is(err, postgres.ErrSchemaBehind) {
		t.Errorf("Ready = %v", err)
	}
}
