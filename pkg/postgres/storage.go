package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/guildmember145/orquestador-plataforma/pkg/quota"
)

// Storage is the store of how much of the disk the data of projects takes up: their runs with what went in, came out and was
// logged, the deliveries of their webhooks, and their ledger. All else that a project has is small beside them.
//
// Nobody counts while runs are made: the rows are weighed afterwards, by samples of pages, so that a look costs the same however
// much there is. Tables of up to samplePages pages are weighed whole.
type Storage struct{ Q Querier }

// samplePages is how many pages of a table are looked at, some 16 MiB. A project with a tenth of a large table, on pages of its
// own, is so weighed with an error of about 7 % (the square root of 0.9 / 0.1 / 2048), and one with half of it of 2 %.
const samplePages = 2048

// StoragePart is a table, or a week of one, that is weighed for itself.
type StoragePart struct {
	Table string     `db:"parent"`
	Name  string     `db:"name"`  // of the table or partition
	Week  *time.Time `db:"week"`  // its Monday; nil for what has no weeks
	Pages int64      `db:"pages"` // without large values and indexes
	// State is another when rows came or went: a sign, some seconds late, that it is to be weighed again.
	State string `db:"state"`
}

// Parts lists what there is to weigh.
func (s Storage) Parts(ctx context.Context) ([]StoragePart, error) {
	rows, err := s.Q.Query(ctx, `
		with parts as (
		    select p.relname as parent, c.oid, c.relname as name, to_date(substring(c.relname from '_([0-9]{8})$'), 'YYYYMMDD')::timestamp at time zone 'UTC' as week
		      from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
		     where i.inhparent in ('runs'::regclass, 'step_runs'::regclass, 'run_logs'::regclass, 'deliveries'::regclass)
		    union all
		    select c.relname, c.oid, c.relname, null from pg_class c where c.oid = 'occurrences'::regclass)
		select parent, name, week, pages, disk || ' ' || pg_stat_get_tuples_inserted(oid) || ' ' || pg_stat_get_tuples_deleted(oid) as state
		  from parts cross join lateral (
		    select pg_relation_size(oid) / current_setting('block_size')::bigint as pages, pg_table_size(oid) as disk) s
		 where disk is not null`) // null: a week that was dropped meanwhile
	if err != nil {
		return nil, fmt.Errorf("list what is stored: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[StoragePart])
	if err != nil {
		return nil, fmt.Errorf("list what is stored: %w", err)
	}
	return list, nil
}

// How much the rows of a sample take up, by project. What is the same for each row (its header, its short columns, its entries
// in indexes, the room left on its page) is a number, as measured by TestWhatIsWeighedIsOnTheDisk; of columns that can be long
// pg_column_size answers the stored size, compressed, without reading them. Whose a row is is looked up one by one (limit), or
// else the whole table that tells would be read.
var weighings = map[string]string{
	"runs": `
		select r.project_id, sum(380 + coalesce(pg_column_size(r.inputs), 0) + coalesce(pg_column_size(r.output), 0) + coalesce(pg_column_size(r.reason), 0))
		  from %s r tablesample system (@percent) repeatable (1) where r.id >= @from and r.id < @until group by 1`,
	"step_runs": `
		select r.project_id, sum(s.bytes)
		  from (select run_id, sum(160 + coalesce(pg_column_size(output), 0) + coalesce(pg_column_size(error), 0)) as bytes
		          from %s tablesample system (@percent) repeatable (1) where run_id >= @from and run_id < @until group by 1) s
		  cross join lateral (select project_id from runs where id = s.run_id limit 1) r group by 1`,
	"run_logs": `
		select r.project_id, sum(l.bytes)
		  from (select run_id, sum(130 + coalesce(pg_column_size(message), 0)) as bytes
		          from %s tablesample system (@percent) repeatable (1) where run_id >= @from and run_id < @until group by 1) l
		  cross join lateral (select project_id from runs where id = l.run_id limit 1) r group by 1`,
	"deliveries": `
		select d.project_id, sum(360 + pg_column_size(d.headers) + coalesce(pg_column_size(d.body), 0) + pg_column_size(d.query) + coalesce(pg_column_size(d.reason), 0))
		  from %s d tablesample system (@percent) repeatable (1) where d.id >= @from and d.id < @until group by 1`,
	"occurrences": `
		select w.project_id, sum(o.bytes)
		  from (select workflow_id, sum(240 + coalesce(pg_column_size(reason), 0)) as bytes
		          from %s tablesample system (@percent) repeatable (1) where trigger_id >= @from and trigger_id < @until group by 1) o
		  cross join lateral (select project_id from workflows where id = o.workflow_id limit 1) w group by 1`,
}

// Weigh answers how many bytes of a part belong to which project. The same pages are looked at each time, as far as they are
// there still, so that a project's share does not jump.
func (s Storage) Weigh(ctx context.Context, part StoragePart) (map[uuid.UUID]int64, error) {
	from, until, table := uuid.Nil, uuid.Max, part.Name
	if part.Week != nil {
		// By way of the whole table: the programs have no rights in weeks that were made since the last migration.
		from, until, table = firstIDAt(*part.Week), firstIDAt(part.Week.AddDate(0, 0, 7)), part.Table
	}
	percent := 100.0
	if part.Pages > samplePages {
		percent = 100 * samplePages / float64(part.Pages)
	}
	rows, err := s.Q.Query(ctx, fmt.Sprintf(weighings[part.Table], pgx.Identifier{table}.Sanitize()), args{"percent": percent, "from": from, "until": until})
	if err != nil {
		return nil, fmt.Errorf("weigh %s: %w", part.Name, err)
	}
	shares := map[uuid.UUID]int64{}
	var project uuid.UUID
	var bytes float64
	if _, err := pgx.ForEachRow(rows, []any{&project, &bytes}, func() error {
		shares[project] = int64(bytes * 100 / percent)
		return nil
	}); err != nil {
		return nil, fmt.Errorf("weigh %s: %w", part.Name, err)
	}
	return shares, nil
}

// WeighedWithin tells whether some scheduler has weighed within a time.
func (s Storage) WeighedWithin(ctx context.Context, d time.Duration) (recently bool, err error) {
	err = s.Q.QueryRow(ctx, `select coalesce(max(measured_at) > now() - make_interval(secs => $1), false) from project_storage`, d.Seconds()).Scan(&recently)
	if err != nil {
		return false, fmt.Errorf("look when storage was weighed: %w", err)
	}
	return recently, nil
}

// Set notes what each project takes up; those that are not named take up nothing.
func (s Storage) Set(ctx context.Context, bytes map[uuid.UUID]int64) error {
	ids, sums := make([]uuid.UUID, 0, len(bytes)), make([]int64, 0, len(bytes))
	for id, n := range bytes {
		ids, sums = append(ids, id), append(sums, n)
	}
	_, err := s.Q.Exec(ctx, `
		with gone as (delete from project_storage where project_id <> all($1::uuid[]))
		insert into project_storage (project_id, bytes, measured_at)
		select u.id, u.bytes, now() from unnest($1::uuid[], $2::bigint[]) as u (id, bytes) order by u.id
		    on conflict (project_id) do update set bytes = excluded.bytes, measured_at = excluded.measured_at`, ids, sums)
	if err != nil {
		return fmt.Errorf("note what projects store: %w", err)
	}
	return nil
}

// Stored is how much a project stores, and may store.
type Stored struct {
	ProjectID uuid.UUID `db:"project_id"`
	Bytes     int64     `db:"bytes"`
	Most      int64     `db:"most"`
}

// earlyWarning is quota.EarlyWarning.
var earlyWarning = strconv.Itoa(quota.EarlyWarning)

// Filling lists those of the rules whose project has used quota.EarlyWarning of its storage or more, and of which nobody was to
// hear yet; most is what projects may store of which nothing was decided, or 0.
func (s Storage) Filling(ctx context.Context, rules []uuid.UUID, most int) (map[uuid.UUID]Stored, error) {
	rows, err := s.Q.Query(ctx, `
		select r.id, s.project_id, s.bytes, m.most
		  from alert_rules r join project_storage s on s.project_id = r.project_id join projects p on p.id = r.project_id
		 cross join lateral (values (coalesce(p.quota_storage, nullif($2::bigint, 0)))) m (most)
		 where r.id = any($1) and s.bytes * 100 >= m.most * `+earlyWarning+`
		   and not exists (select from alert_incidents i where i.rule_id = r.id and i.kind = 'storage' and i.subject = r.project_id)`, rules, most)
	if err != nil {
		return nil, fmt.Errorf("look whose storage fills: %w", err)
	}
	found := map[uuid.UUID]Stored{}
	var rule uuid.UUID
	var one Stored
	if _, err := pgx.ForEachRow(rows, []any{&rule, &one.ProjectID, &one.Bytes, &one.Most}, func() error { found[rule] = one; return nil }); err != nil {
		return nil, fmt.Errorf("look whose storage fills: %w", err)
	}
	return found, nil
}

// Full lists the projects that store as much as they may, or more; most is what those may of which nothing was decided, or 0.
func (s Storage) Full(ctx context.Context, most int) ([]Stored, error) {
	rows, err := s.Q.Query(ctx, `
		select s.project_id, s.bytes, coalesce(p.quota_storage, $1::bigint) as most
		  from project_storage s join projects p on p.id = s.project_id
		 where s.bytes >= coalesce(p.quota_storage, nullif($1::bigint, 0))`, most)
	if err != nil {
		return nil, fmt.Errorf("list full projects: %w", err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByName[Stored])
	if err != nil {
		return nil, fmt.Errorf("list full projects: %w", err)
	}
	return list, nil
}
