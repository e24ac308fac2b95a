-- +goose Up

-- One row per run for ever: written when the run is made and when it ends. What happens between stands in run_live.
create table runs (
    id          uuid primary key, -- UUIDv7: sorts by time
    project_id  uuid        not null,
    workflow_id uuid        not null,
    version     integer     not null,
    status      text        not null default 'queued',
    reason      text,
    trigger     text        not null check (trigger in ('manual', 'schedule', 'rerun')),
    trigger_id  uuid,
    fire_at     timestamptz,
    rerun_of    uuid,
    inputs      jsonb,
    created_by  uuid,
    attempts    integer     not null default 0,
    created_at  timestamptz not null,
    started_at  timestamptz,
    finished_at timestamptz
) with (fillfactor = 85);
create index runs_project on runs (project_id, id);
create index runs_workflow on runs (workflow_id, id);
create index runs_unsuccessful on runs (project_id, status, id) where status in ('failed', 'cancelled');

-- One small row per run that has not finished; also the outbox of the queue. Columns that change while a run lives stand
-- in no index and in no index's condition, so that every change stays on its page (HOT). due_at changes only to wait.
create table run_live (
    id          uuid primary key,
    project_id  uuid        not null,
    workflow_id uuid        not null,
    trigger_id  uuid,
    queue       text        not null default 'default',
    state       text        not null default 'queued', -- queued, running, waiting (due_at), blocked (by an earlier run)
    attempt     integer     not null default 0, -- how often a worker took it; with worker, the fence
    due_at      timestamptz not null default now(),
    enqueued_at timestamptz, -- null: wants to be enqueued
    enqueues    smallint    not null default 0,
    worker      text,
    started_at  timestamptz,
    beat_at     timestamptz,
    cancel      text, -- why it is to end, once somebody said so
    crashes     smallint    not null default 0
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000,
        autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
create index run_live_due on run_live (due_at);
create index run_live_workflow on run_live (workflow_id);
create index run_live_trigger on run_live (trigger_id, id) where trigger_id is not null;

-- One row per attempt of a step; attempt 0 is a step that never began (skipped).
create table step_runs (
    run_id      uuid        not null,
    step        text        not null,
    attempt     integer     not null,
    status      text        not null,
    class       text, -- of the failure: timeout, connection, 503
    error       text,
    started_at  timestamptz,
    finished_at timestamptz,
    next_at     timestamptz, -- when the attempt after this failed one is due
    output      jsonb,
    primary key (run_id, step, attempt)
);

create table run_logs (
    run_id  uuid        not null,
    seq     integer     not null,
    at      timestamptz not null,
    step    text        not null,
    attempt integer     not null,
    level   text        not null,
    message text        not null,
    primary key (run_id, seq)
);

-- Answers a repeated request to start something with what the first one started.
create table idempotency_keys (
    user_id      uuid        not null references users (id) on delete cascade,
    key          text        not null,
    request_hash bytea       not null,
    run_id       uuid        not null,
    created_at   timestamptz not null default now(),
    primary key (user_id, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);

-- +goose Down
drop table idempotency_keys, run_logs, step_runs, run_live, runs;
