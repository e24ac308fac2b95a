-- +goose Up
-- What templates read as secrets.name. The value is sealed (pkg/secret); nobody reads it but the workers.
create table secrets (
    project_id  uuid        not null references projects (id) on delete cascade,
    name        text        not null,
    description text        not null default '',
    sealed      bytea       not null,
    key_id      text        not null, -- of the master key that it is sealed with
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    updated_by  uuid        references users (id) on delete set null,
    used_at     timestamptz, -- by a run, to the minute
    primary key (project_id, name)
) with (fillfactor = 80);

-- What templates read as vars.name.
create table variables (
    project_id  uuid        not null references projects (id) on delete cascade,
    name        text        not null,
    description text        not null default '',
    value       jsonb       not null,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    updated_by  uuid        references users (id) on delete set null,
    primary key (project_id, name)
);

-- Which secrets and variables the definition that runs of each workflow names, so that none of them goes away.
create table workflow_names (
    workflow_id uuid not null references workflows (id) on delete cascade,
    project_id  uuid not null,
    root        text not null check (root in ('secrets', 'vars')),
    name        text not null,
    primary key (workflow_id, root, name)
);
create index workflow_names_name on workflow_names (project_id, root, name);

-- +goose Down
drop table workflow_names, variables, secrets;
