-- +goose Up

-- Steps may wait: for an instant, for other runs, for a person. nudged says that something a run waits for happened while a
-- worker had it, so that it is not put to sleep over it. It stands in no index, as it changes while a run lives.
alter table run_live
    add column nudged    boolean  not null default false,
    add column parent_id uuid, -- the run whose step waits for this one
    add column depth     smallint not null default 0; -- how many runs are above it
create index run_live_parent on run_live (parent_id) where parent_id is not null;

alter table runs
    add column parent_id uuid, -- the run whose step started it
    add column output    jsonb; -- what it left for whoever started it
alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check
    check (trigger in ('manual', 'schedule', 'rerun', 'backfill', 'webhook', 'after', 'heartbeat', 'workflow'));

-- Which runs a step started. Its key sees to it that each is started once, however often a worker is lost.
create table child_runs (
    parent_id uuid    not null,
    step      text    not null,
    attempt   integer not null, -- of the step
    item      integer not null, -- of the list that the step goes through; 0 for a single one
    run_id    uuid    not null,
    primary key (parent_id, step, attempt, item)
);

-- What its runs get, a JSON Schema; null for anything.
alter table workflows add column inputs jsonb;
create index workflows_name on workflows (project_id, name) where deleted_at is null;

-- +goose Down
drop index workflows_name;
alter table workflows drop column inputs;
drop table child_runs;
delete from runs where trigger in ('webhook', 'after', 'heartbeat', 'workflow');
alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check check (trigger in ('manual', 'schedule', 'rerun', 'backfill'));
alter table runs drop column parent_id, drop column output;
drop index run_live_parent;
alter table run_live drop column nudged, drop column parent_id, drop column depth;
