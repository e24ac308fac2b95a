-- +goose Up

alter table triggers
    add column due_at        timestamptz,                -- when the run of next_fire_at begins: with jitter, later than that
    add column decided_at    timestamptz,                -- the latest fire that the ledger accounts for
    add column runs_made     integer not null default 0, -- by its schedule, ever
    add column paused_reason text;                       -- it stopped by itself; enabling or saving lets it go on
update triggers t
   set due_at = next_fire_at,
       decided_at = (select max(coalesce(until_at, fire_at)) from occurrences o where o.trigger_id = t.id and o.outcome <> 'superseded'),
       runs_made = (select count(*) from occurrences o where o.trigger_id = t.id and o.outcome in ('ran', 'ran_late'));
drop index triggers_due;
create index triggers_due on triggers (due_at) where enabled and due_at is not null;
create index triggers_calendar on triggers (project_id, (spec ->> 'calendar')) where spec ->> 'calendar' is not null;
create index triggers_watched on triggers (id) where enabled and spec ->> 'pause_after_failures' is not null;

-- When a trigger was off, and why. It explains what the ledger does not hold while the trigger is off.
create table trigger_pauses (
    trigger_id uuid        not null,
    off_at     timestamptz not null,
    on_at      timestamptz, -- null: it still is
    code       text        not null check (code in ('disabled', 'paused', 'removed')),
    detail     text        not null default '', -- who did it; of paused, after how many failed runs
    primary key (trigger_id, off_at)
);
insert into trigger_pauses (trigger_id, off_at, code)
select id, coalesce(removed_at, next_fire_at, created_at), case when removed_at is null then 'disabled' else 'removed' end
  from triggers where not enabled;

-- Why, for programs; reason is for people.
alter table occurrences add column code text;

-- Named lists of dates on which triggers do not run.
create table calendars (
    id          uuid primary key,
    project_id  uuid        not null references projects (id),
    name        text        not null,
    description text        not null default '',
    dates       date[]      not null,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    unique (project_id, name)
);
create index calendars_project on calendars (project_id, id);

-- The zone data that the stored next fires were computed with, and how far they were brought to other zone data.
create table zone_data (
    singleton boolean primary key default true check (singleton),
    version   text not null default '',
    going_to  text, -- null: nobody is at it
    done_to   uuid  -- the last trigger that was looked at
);
insert into zone_data default values;

alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check check (trigger in ('manual', 'schedule', 'rerun', 'backfill'));

-- Fires of the past that somebody wants to run after all. Its fires are written down when it is made, so that no change
-- of the trigger or of the zone data changes them, and none can have two runs.
create table backfills (
    id          uuid primary key, -- UUIDv7: sorts by time
    project_id  uuid        not null,
    workflow_id uuid        not null references workflows (id),
    trigger_id  uuid        not null references triggers (id),
    version     integer     not null, -- of the workflow that its runs run
    from_at     timestamptz not null,
    to_at       timestamptz not null,
    overlap     text        not null check (overlap in ('queue_all', 'allow')),
    concurrency integer     not null,
    inputs      jsonb,
    state       text        not null default 'running' check (state in ('running', 'paused', 'done', 'cancelled')),
    busy        boolean     not null default true, -- the scheduler has to begin runs, or to see them end
    reason      text,
    created_by  uuid,
    created_at  timestamptz not null default now(),
    ended_at    timestamptz
);
create index backfills_trigger on backfills (trigger_id, id);
create index backfills_busy on backfills (id) where busy;

create table backfill_fires (
    backfill_id uuid        not null references backfills (id) on delete cascade,
    fire_at     timestamptz not null,
    run_id      uuid, -- null: it has not begun
    state       text        not null default 'waiting' check (state in ('waiting', 'started', 'succeeded', 'failed', 'cancelled')),
    primary key (backfill_id, fire_at)
);
create index backfill_fires_started on backfill_fires (backfill_id) where state = 'started';
create index backfill_fires_waiting on backfill_fires (backfill_id, fire_at) where state = 'waiting';

-- +goose Down
drop table backfill_fires, backfills, zone_data, calendars, trigger_pauses;
delete from runs where trigger = 'backfill';
alter table runs drop constraint runs_trigger_check;
alter table runs add constraint runs_trigger_check check (trigger in ('manual', 'schedule', 'rerun'));
alter table occurrences drop column code;
drop index triggers_due, triggers_calendar, triggers_watched;
alter table triggers drop column due_at, drop column decided_at, drop column runs_made, drop column paused_reason;
create index triggers_due on triggers (next_fire_at) where enabled and next_fire_at is not null;
