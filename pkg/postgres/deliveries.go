package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Deliveries is the store of what arrived at webhook triggers: their ledger.
type Deliveries struct{ Q Querier }

// What became of a delivery.
const (
	VerdictAccepted  = "accepted"  // the run RunID
	VerdictDuplicate = "duplicate" // of the one that became RunID
	VerdictFiltered  = "filtered"  // the trigger's filter does not want it
	VerdictSkipped   = "skipped"   // the trigger's overlap policy does not want it now
	VerdictRefused   = "refused"   // Reason says why; the sender was told
)

// DeliveryRow is one delivery.
type DeliveryRow struct {
	ID         uuid.UUID       `db:"id"`
	ProjectID  uuid.UUID       `db:"project_id"`
	WorkflowID uuid.UUID       `db:"workflow_id"`
	TriggerID  uuid.UUID       `db:"trigger_id"`
	Verdict    string          `db:"verdict"`
	Code       *string         `db:"code"`
	Reason     *string         `db:"reason"`
	RunID      *uuid.UUID      `db:"run_id"`
	ReplayOf   *uuid.UUID      `db:"replay_of"`
	ReplayedBy *string         `db:"replayed_by"`
	Method     string          `db:"method"`
	Query      string          `db:"query"`   // as it arrived
	Headers    json.RawMessage `db:"headers"` // lower-case names, without secrets
	Body       []byte          `db:"body"`
	Size       int             `db:"size"` // of the body as it arrived
	Address    string          `db:"address"`
	CreatedAt  time.Time       `db:"created_at"`
}

// Insert writes deliveries.
func (s Deliveries) Insert(ctx context.Context, list []DeliveryRow) error {
	if len(list) == 0 {
		return nil
	}
	n := len(list)
	var (
		ids, projects, workflows, triggers         = make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n), make([]uuid.UUID, n)
		verdicts, methods, queries, headers, froms = make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		codes, reasons, replayers                  = make([]*string, n), make([]*string, n), make([]*string, n)
		runs, replays                              = make([]*uuid.UUID, n), make([]*uuid.UUID, n)
		bodies                                     = make([][]byte, n)
		sizes                                      = make([]int32, n)
	)
	list = slices.SortedFunc(slices.Values(list), func(a, b DeliveryRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for i, d := range list {
		ids[i], projects[i], workflows[i], triggers[i] = d.ID, d.ProjectID, d.WorkflowID, d.TriggerID
		verdicts[i], methods[i], queries[i], headers[i], froms[i] = d.Verdict, d.Method, d.Query, string(d.Headers), d.Address
		codes[i], reasons[i], replayers[i], runs[i], replays[i] = d.Code, d.Reason, d.ReplayedBy, d.RunID, d.ReplayOf
		bodies[i], sizes[i] = d.Body, int32(d.Size) //nolint:gosec // bounded by the API
	}
	_, err := s.Q.Exec(ctx, `
		insert into deliveries (id, project_id, workflow_id, trigger_id, verdict, code, reason, run_id, replay_of, replayed_by, method,
		                        query, headers, body, size, address)
		select * from unnest(@ids::uuid[], @projects::uuid[], @workflows::uuid[], @triggers::uuid[], @verdicts::text[], @codes::text[],
		                     @reasons::text[], @runs::uuid[], @replays::uuid[], @replayers::text[], @methods::text[], @queries::text[],
		                     @headers::jsonb[], @bodies::bytea[], @sizes::int[], @froms::text[])`,
		args{
			"ids": ids, "projects": projects, "workflows": workflows, "triggers": triggers, "verdicts": verdicts, "codes": codes,
			"reasons": reasons, "runs": runs, "replays": replays, "replayers": replayers, "methods": methods, "queries": queries,
			"headers": headers, "bodies": bodies, "sizes": sizes, "froms": froms,
		})
	if err != nil {
		return fmt.Errorf("insert deliveries: %w", translate(err))
	}
	return nil
}

// DeliveryFilter narrows the deliveries of one trigger; zero values do not.
type DeliveryFilter struct {
	TriggerID uuid.UUID
	Verdict   string
	From, To  *time.Time // by arrival: From included, To not
	Before    *uuid.UUID // keyset
	Limit     int
}

// List lists deliveries without their bodies, the newest first.
func (s Deliveries) List(ctx context.Context, f DeliveryFilter) ([]DeliveryRow, error) {
	where := `trigger_id = @trigger`
	args := pgx.NamedArgs{"trigger": f.TriggerID, "limit": f.Limit}
	switch f.Verdict {
	case "":
	case VerdictAccepted: // of these there are most, and they have no index of their own
		where += ` and verdict = 'accepted'`
	default:
		where += ` and verdict = @verdict and verdict <> 'accepted'`
		args["verdict"] = f.Verdict
	}
	if f.From != nil {
		where += ` and id >= @from`
		args["from"] = firstIDAt(*f.From)
	}
	if f.To != nil {
		where += ` and id < @to`
		args["to"] = firstIDAt(*f.To)
	}
	if f.Before != nil {
		where += ` and id < @before`
		args["before"] = *f.Before
	}
	rows, err := s.Q.Query(ctx, `
		select id, project_id, workflow_id, trigger_id, verdict, code, reason, run_id, replay_of, replayed_by, method, query, headers,
		       null::bytea as body, size, address, created_at
		  from deliveries where `+where+` order by id desc limit @limit`, args)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[DeliveryRow])
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	return list, nil
}

// Get finds a delivery in one of the projects; ErrNotFound when it is not there.
func (s Deliveries) Get(ctx context.Context, projects []uuid.UUID, id uuid.UUID) (DeliveryRow, error) {
	rows, err := s.Q.Query(ctx, `
		select id, project_id, workflow_id, trigger_id, verdict, code, reason, run_id, replay_of, replayed_by, method, query, headers, body,
		       size, address, created_at
		  from deliveries where id = $1 and project_id = any($2)`, id, projects)
	if err != nil {
		return DeliveryRow{}, fmt.Errorf("get delivery: %w", err)
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[DeliveryRow])
	if err != nil {
		return DeliveryRow{}, fmt.Errorf("get delivery: %w", translate(err))
	}
	return row, nil
}

// Counts counts the deliveries of a trigger between two instants by their verdict.
func (s Deliveries) Counts(ctx context.Context, trigger uuid.UUID, from, to time.Time) (map[string]int, error) {
	rows, err := s.Q.Query(ctx, `
		select verdict, count(*) from deliveries where trigger_id = $1 and id >= $2 and id < $3 group by verdict`,
		trigger, firstIDAt(from), firstIDAt(to))
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	counts := map[string]int{}
	var verdict string
	var n int
	if _, err := pgx.ForEachRow(rows, []any{&verdict, &n}, func() error { counts[verdict] = n; return nil }); err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return counts, nil
}

// DeliveryKey is what tells deliveries of the same thing.
type DeliveryKey struct {
	TriggerID uuid.UUID
	Hash      [32]byte
	RunID     uuid.UUID     // that is to stand for the others
	Life      time.Duration // how long
}

// Reserve notes that keys stand for their runs, and answers, in their order, the run that each stands for: the key's own, or
// that of an earlier delivery. The keys differ. It waits for other transactions that reserve the same.
func (s Deliveries) Reserve(ctx context.Context, keys []DeliveryKey) ([]uuid.UUID, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	triggers, hashes, runs, lives := keyColumns(keys)
	rows, err := s.Q.Query(ctx, `
		with mine as (
		    insert into delivery_keys as k (trigger_id, key, run_id, expires_at)
		    select trigger_id, key, run_id, now() + make_interval(secs => life)
		      from unnest($1::uuid[], $2::bytea[], $3::uuid[], $4::float8[]) u (trigger_id, key, run_id, life) order by trigger_id, key
		        on conflict (trigger_id, key) do update set run_id = excluded.run_id, expires_at = excluded.expires_at
		     where k.expires_at < now()
		 returning trigger_id, key, run_id)
		select trigger_id, key, run_id from mine`, triggers, hashes, runs, lives)
	if err != nil {
		return nil, fmt.Errorf("reserve delivery keys: %w", translate(err))
	}
	owners, err := collectKeys(rows)
	if err != nil {
		return nil, err
	}
	if len(owners) < len(keys) {
		// A statement does not see what others committed after it began: the others' keys take another.
		rows, err = s.Q.Query(ctx, `
			select k.trigger_id, k.key, k.run_id from unnest($1::uuid[], $2::bytea[]) u (trigger_id, key)
			  join delivery_keys k on k.trigger_id = u.trigger_id and k.key = u.key`, triggers, hashes)
		if err != nil {
			return nil, fmt.Errorf("find delivery keys: %w", err)
		}
		if owners, err = collectKeys(rows); err != nil {
			return nil, err
		}
	}
	first := make([]uuid.UUID, len(keys))
	for i, k := range keys {
		first[i] = owners[keyName{k.TriggerID, k.Hash}]
	}
	return first, nil
}

type keyName struct {
	trigger uuid.UUID
	hash    [32]byte
}

func keyColumns(keys []DeliveryKey) (triggers []uuid.UUID, hashes [][]byte, runs []uuid.UUID, lives []float64) {
	for _, k := range keys {
		triggers, hashes = append(triggers, k.TriggerID), append(hashes, k.Hash[:])
		runs, lives = append(runs, k.RunID), append(lives, k.Life.Seconds())
	}
	return triggers, hashes, runs, lives
}

func collectKeys(rows pgx.Rows) (map[keyName]uuid.UUID, error) {
	owners := map[keyName]uuid.UUID{}
	var trigger, runID uuid.UUID
	var key []byte
	_, err := pgx.ForEachRow(rows, []any{&trigger, &key, &runID}, func() error {
		name := keyName{trigger: trigger}
		copy(name.hash[:], key)
		owners[name] = runID
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read delivery keys: %w", translate(err))
	}
	return owners, nil
}

// Reassign lets keys stand for another run than they were reserved for: RunID.
func (s Deliveries) Reassign(ctx context.Context, keys []DeliveryKey) error {
	if len(keys) == 0 {
		return nil
	}
	triggers, hashes, runs, _ := keyColumns(keys)
	_, err := s.Q.Exec(ctx, `
		update delivery_keys k set run_id = u.run_id from unnest($1::uuid[], $2::bytea[], $3::uuid[]) u (trigger_id, key, run_id)
		 where k.trigger_id = u.trigger_id and k.key = u.key`, triggers, hashes, runs)
	if err != nil {
		return fmt.Errorf("reassign delivery keys: %w", err)
	}
	return nil
}

// Free forgets keys whose delivery did not become a run after all.
func (s Deliveries) Free(ctx context.Context, keys []DeliveryKey) error {
	if len(keys) == 0 {
		return nil
	}
	triggers, hashes, runs, _ := keyColumns(keys)
	_, err := s.Q.Exec(ctx, `
		delete from delivery_keys k using unnest($1::uuid[], $2::bytea[], $3::uuid[]) u (trigger_id, key, run_id)
		 where k.trigger_id = u.trigger_id and k.key = u.key and k.run_id = u.run_id`, triggers, hashes, runs)
	if err != nil {
		return fmt.Errorf("free delivery keys: %w", err)
	}
	return nil
}

// DropKeys forgets up to limit keys that have expired.
func (s Deliveries) DropKeys(ctx context.Context, limit int) (int64, error) {
	tag, err := s.Q.Exec(ctx, `
		delete from delivery_keys where (trigger_id, key) in (
		    select trigger_id, key from delivery_keys where expires_at < now() order by expires_at limit $1)`, limit)
	if err != nil {
		return 0, fmt.Errorf("drop delivery keys: %w", err)
	}
	return tag.RowsAffected(), nil
}
