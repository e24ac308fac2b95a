-- +goose Up

-- Which run this one came after: its trigger waited for the end of that.
alter table runs add column cause uuid;
alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check
    check (trigger in ('manual', 'schedule', 'rerun', 'backfill', 'webhook', 'after', 'heartbeat'));

-- The workflow whose runs a trigger waits for. It is looked up with the end of every run: the index holds nothing but these. It is
-- no foreign key, which would wait for whoever saves the other workflow; workflows are only hidden.
alter table triggers add column after_workflow uuid;
create index triggers_after on triggers (after_workflow) where after_workflow is not null;

-- The public addresses of webhook and heartbeat triggers. Who knows one may use it; the old one of a trigger that got a new
-- one may have some time left.
create table trigger_addresses (
    token      text primary key,
    trigger_id uuid        not null references triggers (id) on delete cascade,
    created_at timestamptz not null default now(),
    expires_at timestamptz -- null: it is the trigger's address
);
create unique index trigger_addresses_current on trigger_addresses (trigger_id) where expires_at is null;
create index trigger_addresses_old on trigger_addresses (expires_at) where expires_at is not null;

-- What arrived at webhook triggers, and what became of it. A delivery that became a run has the run's id. Kept by the week.
create table deliveries (
    id          uuid        not null primary key, -- UUIDv7: sorts by time
    project_id  uuid        not null,
    workflow_id uuid        not null,
    trigger_id  uuid        not null,
    verdict     text        not null check (verdict in ('accepted', 'duplicate', 'filtered', 'skipped', 'refused')),
    code        text, -- why, for programs
    reason      text, -- why, for people
    run_id      uuid, -- the run it became, or the run of the first delivery
    replay_of   uuid, -- the delivery that somebody wanted once more
    replayed_by text,
    method      text        not null,
    query       text        not null default '',
    headers     jsonb       not null,
    body        bytea,
    size        integer     not null, -- of the body as it arrived, in bytes; a refused one is not kept whole
    address     text        not null,
    created_at  timestamptz not null default now()
) partition by range (id);
create index deliveries_trigger on deliveries (trigger_id, id);
create index deliveries_other on deliveries (trigger_id, verdict, id) where verdict <> 'accepted';
create table deliveries_rest partition of deliveries default;

-- What tells deliveries of the same thing: the first one's run stands for the others, until the key expires.
create table delivery_keys (
    trigger_id uuid        not null,
    key        bytea       not null, -- SHA-256
    run_id     uuid        not null,
    expires_at timestamptz not null,
    primary key (trigger_id, key)
);
create index delivery_keys_age on delivery_keys (expires_at);

-- Runs that ended, and the triggers that wait for them: written with the end of the run, taken with the making of the next.
create table after_fires (
    run_id     uuid        not null,
    trigger_id uuid        not null,
    ended_at   timestamptz not null default now(),
    primary key (run_id, trigger_id)
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
-- +goose StatementBegin
create function tell_of_after_fire() returns trigger language plpgsql as $$
begin
    notify orq_after;
    return null;
end $$;
-- +goose StatementEnd
create trigger after_fires_told after insert on after_fires for each row execute function tell_of_after_fire();

-- What the jobs of heartbeat triggers said last. A ping changes no index: when the trigger is to be looked at stands in
-- triggers.due_at, and whoever looks finds the pings since.
create table heartbeats (
    trigger_id uuid primary key references triggers (id) on delete cascade,
    armed_at   timestamptz not null default now(), -- counts as a ping: created, switched on or changed
    pinged_at  timestamptz,
    started_at timestamptz, -- the job said that it began, and nothing since
    failed_at  timestamptz, -- the job said that it failed, and nothing since
    signal     text check (signal in ('ping', 'start', 'fail', 'log')), -- the latest
    signal_at  timestamptz,
    message    text, -- that came with it
    address    text,
    late_since timestamptz -- the instant of the ping that did not come; null: all is well
) with (fillfactor = 60);

-- make_week and drop_weeks as before, for deliveries too.
-- +goose StatementBegin
create or replace function make_week(at timestamptz) returns boolean
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
    for kind in select * from (values ('runs', 'id', 55, 'runs_other'), ('step_runs', 'run_id', 100, 'step_runs_other'),
                                      ('run_logs', 'run_id', 100, 'run_logs_other'),
                                      ('deliveries', 'id', 100, 'deliveries_rest')) k (name, key, fill, rest) loop
        part := kind.name || '_' || to_char(monday, 'YYYYMMDD');
        continue when to_regclass(part) is not null;
        execute format('create table %I (like %I including all) with (fillfactor = %s)', part, kind.name, kind.fill);
        execute format('with moved as (delete from %I where %I >= $1 and %I < $2 returning *) insert into %I select * from moved',
                       kind.rest, kind.key, kind.key, part) using lowest, above;
        execute format('alter table %I attach partition %I for values from (%L) to (%L)', kind.name, part, lowest, above);
        made := true;
    end loop;
    return made;
end $$;
-- +goose StatementEnd

-- +goose StatementBegin
create or replace function drop_weeks(before timestamptz) returns integer
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
         where i.inhparent in ('runs'::regclass, 'step_runs'::regclass, 'run_logs'::regclass, 'deliveries'::regclass)
           and c.relname ~ '_[0-9]{8}$'
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
select make_week(now() + w * interval '7 days') from generate_series(-1, 4) w;

-- +goose Down
drop table heartbeats, after_fires, delivery_keys, deliveries, trigger_addresses;
drop function tell_of_after_fire();
drop index triggers_after;
alter table triggers drop column after_workflow;
delete from runs where trigger in ('webhook', 'after', 'heartbeat');
alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check check (trigger in ('manual', 'schedule', 'rerun', 'backfill'));
alter table runs drop column cause;
-- +goose StatementBegin
create or replace function make_week(at timestamptz) returns boolean
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
    for kind in select * from (values ('runs', 'id', 55), ('step_runs', 'run_id', 100), ('run_logs', 'run_id', 100)) k (name, key, fill) loop
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
-- +goose StatementBegin
create or replace function drop_weeks(before timestamptz) returns integer
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
