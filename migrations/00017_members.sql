-- +goose Up

-- A project that was deleted keeps its row, for the runs that are kept for a while; nobody is a member of it any more.
alter table projects add column deleted_at timestamptz;

-- Links by which somebody joins a project with a role, or, without a project, the installation. The link itself is shown
-- once and never kept.
create table invitations (
    id          uuid primary key, -- UUIDv7: sorts by time
    hash        bytea       not null unique, -- SHA-256 of the token in the link
    project_id  uuid        references projects (id) on delete cascade,
    role        text        check (role in ('owner', 'admin', 'editor', 'operator', 'viewer')),
    email       text, -- who alone may accept it; null: whoever has the link
    created_by  uuid        references users (id) on delete set null,
    created_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    check ((project_id is null) = (role is null))
);
create index invitations_project on invitations (project_id, id);

-- Links by which somebody chooses another password: each works once, and the next takes the place of the one before.
create table password_resets (
    user_id    uuid primary key references users (id) on delete cascade,
    hash       bytea       not null unique, -- SHA-256 of the token in the link
    created_at timestamptz not null default now(),
    expires_at timestamptz not null
);

-- +goose Down
drop table password_resets, invitations;
alter table projects drop column deleted_at;
