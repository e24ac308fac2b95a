-- +goose Up
create table workflows (
    id          uuid primary key,
    project_id  uuid        not null references projects (id),
    name        text        not null,
    description text        not null default '',
    enabled     boolean     not null,
    version     integer     not null, -- the one that runs
    revision    integer     not null default 1, -- counts every change, enabling included: the ETag
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    deleted_at  timestamptz
);
create index workflows_project on workflows (project_id, id) where deleted_at is null;

create table workflow_versions (
    workflow_id uuid        not null references workflows (id),
    version     integer     not null,
    definition  jsonb       not null,
    created_by  uuid        references users (id) on delete set null,
    created_at  timestamptz not null default now(),
    primary key (workflow_id, version)
);

-- What the ticker reads. A trigger that an edit removed keeps its row, for the ledger and for its runs.
create table triggers (
    id           uuid primary key,
    workflow_id  uuid        not null references workflows (id),
    project_id   uuid        not null,
    key          text        not null, -- its id in the definition
    version      integer     not null, -- of the workflow that its fires run
    spec         jsonb       not null, -- workflow.Trigger
    anchor_at    timestamptz not null, -- intervals count from here
    enabled      boolean     not null, -- and its workflow is, and it was not removed
    next_fire_at timestamptz,
    removed_at   timestamptz,
    created_at   timestamptz not null default now(),
    unique (workflow_id, key)
) with (fillfactor = 70);
create index triggers_due on triggers (next_fire_at) where enabled and next_fire_at is not null;

-- The ledger: what became of every expected fire.
create table occurrences (
    trigger_id  uuid        not null,
    fire_at     timestamptz not null,
    until_at    timestamptz, -- the last fire of a row that stands for several alike
    count       integer     not null default 1,
    workflow_id uuid        not null,
    outcome     text        not null check (outcome in ('ran', 'ran_late', 'coalesced', 'skipped', 'superseded')),
    reason      text,
    run_id      uuid, -- the run it became, or the run it went into or had to give way to
    recorded_at timestamptz not null default now(),
    primary key (trigger_id, fire_at)
);
create index occurrences_workflow on occurrences (workflow_id, fire_at);

-- +goose Down
drop table occurrences, triggers, workflow_versions, workflows;
