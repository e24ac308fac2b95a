-- +goose Up

-- What ran is kept by the week: a week that is past its time is dropped as a whole, which costs nothing and leaves no
-- holes. Ids are UUIDv7, which begin with the time, so a week is a range of ids.

-- The smallest id of an instant: 48 bits of milliseconds, then zeros (RFC 9562, section 5.7).
-- +goose StatementBegin
create function first_id_at(at timestamptz) returns uuid
    language sql immutable parallel safe
    return (lpad(to_hex(greatest(floor(extract(epoch from at) * 1000), 0)::bigint), 12, '0') || repeat('0', 20))::uuid;
-- +goose StatementEnd

-- Makes the partition of a week for each kind of row, unless it is there. Rows of that week that arrived before it, and
-- so are in the default partition, move into it. It runs as the owner of the tables, which a program need not be.
-- +goose StatementBegin
create function make_week(at timestamptz) returns boolean
    language plpgsql security definer set search_path from current as $$
declare
    monday timestamp := date_trunc('week', at at time zone 'UTC');
    lowest uuid := first_id_at(monday at time zone 'UTC');
    above uuid := first_id_at((monday + interval '7 days') at time zone 'UTC');
    kind record;
    part text;
    made boolean := false;
begin
    perform pg_advisory_xact_lock(hashtext('orq weeks'));
    for kind in select * from (values ('runs', 'id', 85), ('step_runs', 'run_id', 90), ('run_logs', 'run_id', 100)) k (name, key, fill) loop
        part := kind.name || '_' || to_char(monday, 'YYYYMMDD');
        continue when to_regclass(part) is not null;
        execute format('create table %I (like %I including all) with (fillfactor = %s)', part, kind.name, kind.fill);
        execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved',
                       kind.name || '_other', kind.key, kind.key, part) using lowest, above;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind.name, part, lowest, above);
        made := true;
    end loop;
    return made;
end $$;
-- +goose StatementEnd

-- Drops the partitions of weeks that ended before an instant, oldest first, except those with runs that have not finished.
-- +goose StatementBegin
create function drop_weeks(before timestamptz) returns integer
    language plpgsql security definer set search_path from current as $$
declare
    part record;
    monday timestamp;
    dropped integer := 0;
begin
    perform pg_advisory_xact_lock(hashtext('orq weeks'));
    for part in
        select c.relname as name, substring(c.relname from '[0-9]{8}$') as week
          from pg_inherits i join pg_class c on c.oid = i.inhrelid
         where i.inhparent in ('runs'::regclass, 'step_runs'::regclass, 'run_logs'::regclass) and c.relname ~ '_[0-9]{8}$'
         order by week
    loop
        monday := to_date(part.week, 'YYYYMMDD');
        exit when (monday + interval '7 days') at time zone 'UTC' > before;
        continue when exists (select from run_live l
                               where l.id >= first_id_at(monday at time zone 'UTC')
                                 and l.id < first_id_at((monday + interval '7 days') at time zone 'UTC'));
        execute format('drop table %I', part.name);
        dropped := dropped + 1;
    end loop;
    return dropped;
end $$;
-- +goose StatementEnd

alter table runs rename to runs_before;
alter table step_runs rename to step_runs_before;
alter table run_logs rename to run_logs_before;
alter index runs_pkey rename to runs_before_pkey;
alter index step_runs_pkey rename to step_runs_before_pkey;
alter index run_logs_pkey rename to run_logs_before_pkey;
drop index runs_project, runs_workflow, runs_unsuccessful;

create table runs (like runs_before including defaults including constraints, primary key (id)) partition by range (id);
create index runs_project on runs (project_id, id);
create index runs_workflow on runs (workflow_id, id);
create table step_runs (like step_runs_before including defaults including constraints, primary key (run_id, step, attempt))
    partition by range (run_id);
create table run_logs (like run_logs_before including defaults including constraints, primary key (run_id, seq))
    partition by range (run_id);
-- What comes before the first week, and what comes when nobody made its week in time.
create table runs_other partition of runs default;
create table step_runs_other partition of step_runs default;
create table run_logs_other partition of run_logs default;

insert into runs select * from runs_before;
insert into step_runs select * from step_runs_before;
insert into run_logs select * from run_logs_before;

-- The few runs that did not succeed, found by this table and not by an index of runs: one on the status would have to be
-- written with the end of every run.
create table unsuccessful_runs (
    project_id uuid not null,
    id         uuid not null,
    status     text not null,
    primary key (project_id, id)
);
insert into unsuccessful_runs select project_id, id, status from runs where status in ('failed', 'cancelled');
create index unsuccessful_runs_age on unsuccessful_runs (id);

drop table runs_before, step_runs_before, run_logs_before;
select make_week(now() + w * interval '7 days') from generate_series(-1, 4) w;

-- Queues are classes of work. Each has its tasks in Redis; here stands what people decided about it.
create table queues (
    name           text primary key check (name in ('critical', 'default', 'bulk')),
    max_concurrent integer check (max_concurrent > 0), -- runs in workers' hands; null: as many as there is room for
    paused_at      timestamptz,
    paused_by      text
);
insert into queues (name) values ('critical'), ('default'), ('bulk');

-- Who works. A row lives as long as its worker beats.
create table workers (
    name       text primary key,
    version    text        not null,
    slots      integer     not null, -- runs it does at a time
    started_at timestamptz not null default now(),
    beat_at    timestamptz not null default now(),
    leaving    boolean     not null default false
);

alter table workflows
    add column queue text not null default 'default' check (queue in ('critical', 'default', 'bulk')),
    add column max_concurrent integer check (max_concurrent > 0), -- unfinished runs that have been let begin
    add column keep_succeeded interval, -- how long its runs are kept, when shorter than everybody's
    add column keep_failed interval;
alter table projects add column max_concurrent integer check (max_concurrent > 0); -- runs in workers' hands

-- A run with a gate waits for earlier runs to finish: of its trigger (one at a time), or of its workflow (max_concurrent).
-- Only the dispatcher opens gates. A run is released once enqueued_at is set: it is in the queue, or a worker has it.
alter table run_live add column gate uuid;
update run_live set gate = trigger_id, state = 'queued' where state = 'blocked';
drop index run_live_due, run_live_workflow;
create index run_live_backlog on run_live (queue, project_id, due_at, id) where enqueued_at is null and gate is null;
create index run_live_due on run_live (queue, due_at) where enqueued_at is null and gate is null;
create index run_live_released on run_live (queue, project_id) where enqueued_at is not null;
create index run_live_workflow on run_live (workflow_id, gate);
create index run_live_gate on run_live (gate, id) where gate is not null;
create index run_live_cancelled on run_live (id) where cancel is not null;

-- +goose Down
alter table workflows drop column queue, drop column max_concurrent, drop column keep_succeeded, drop column keep_failed;
alter table projects drop column max_concurrent;
drop table queues, workers;
drop index run_live_backlog, run_live_due, run_live_released, run_live_workflow, run_live_gate, run_live_cancelled;
alter table run_live drop column gate;
create index run_live_due on run_live (due_at);
create index run_live_workflow on run_live (workflow_id);
alter table runs rename to runs_weekly;
alter table step_runs rename to step_runs_weekly;
alter table run_logs rename to run_logs_weekly;
alter index runs_pkey rename to runs_weekly_pkey;
alter index step_runs_pkey rename to step_runs_weekly_pkey;
alter index run_logs_pkey rename to run_logs_weekly_pkey;
drop index runs_project, runs_workflow;
create table runs (like runs_weekly including defaults including constraints, primary key (id)) with (fillfactor = 85);
create table step_runs (like step_runs_weekly including defaults including constraints, primary key (run_id, step, attempt));
create table run_logs (like run_logs_weekly including defaults including constraints, primary key (run_id, seq));
insert into runs select * from runs_weekly;
insert into step_runs select * from step_runs_weekly;
insert into run_logs select * from run_logs_weekly;
create index runs_project on runs (project_id, id);
create index runs_workflow on runs (workflow_id, id);
create index runs_unsuccessful on runs (project_id, status, id) where status in ('failed', 'cancelled');
drop table runs_weekly, step_runs_weekly, run_logs_weekly, unsuccessful_runs;
drop function make_week(timestamptz);
drop function drop_weeks(timestamptz);
drop function first_id_at(timestamptz);
