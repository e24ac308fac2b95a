-- +goose Up

-- What steps ask people. A row stays as long as its run does; who decided, and why, stands here.
create table approvals (
    id          uuid primary key, -- UUIDv7: sorts by time
    project_id  uuid        not null,
    workflow_id uuid        not null,
    run_id      uuid        not null,
    step        text        not null,
    attempt     integer     not null, -- failed attempts of the step before this one
    message     text        not null,
    state       text        not null default 'pending' check (state in ('pending', 'approved', 'rejected', 'expired')),
    expires_at  timestamptz, -- until when it is waited for
    decided_at  timestamptz,
    decided_by  text, -- a username, or that it was whoever had the link
    note        text,
    created_at  timestamptz not null default now(),
    unique (run_id, step, attempt)
);
create index approvals_pending on approvals (project_id, id) where state = 'pending';
create index approvals_project on approvals (project_id, id);

-- +goose Down
drop table approvals;
