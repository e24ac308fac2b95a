-- +goose Up
-- One attempt of one step that somebody tries while writing it. It is no run, and nothing that runs reads it.
create table step_tests (
    id          uuid primary key,
    project_id  uuid        not null references projects (id) on delete cascade,
    workflow_id uuid, -- that the step belongs to, where that is saved
    created_by  uuid        references users (id) on delete set null,
    step        jsonb       not null, -- workflow.Step
    inputs      jsonb,
    outputs     jsonb, -- samples of other steps, by id
    seconds     integer     not null, -- how long the attempt may take
    status      text        not null default 'queued' check (status in ('queued', 'running', 'succeeded', 'failed', 'skipped')),
    worker      text,
    output      jsonb,
    error       text,
    class       text,
    logs        jsonb       not null default '[]',
    created_at  timestamptz not null default now(),
    started_at  timestamptz,
    finished_at timestamptz
);
create index step_tests_queued on step_tests (created_at) where status = 'queued';
create index step_tests_open on step_tests (created_by) where status in ('queued', 'running');
create index step_tests_age on step_tests (created_at);

-- +goose Down
drop table step_tests;
