-- +goose Up

-- What is to become a workflow's next version: one at most, kept as it was typed, valid or not. A workflow that was never
-- published has the version 0, which has no triggers and no steps.
create sequence draft_revisions;
create table drafts (
    workflow_id uuid primary key references workflows (id) on delete cascade,
    definition  jsonb       not null,
    based_on    integer     not null, -- the version that it is to replace; 0: there was none
    snapshot    integer, -- the version under which this very text has run; null: it has not
    revision    bigint      not null default nextval('draft_revisions'), -- the ETag: no two drafts ever have the same
    updated_by  uuid references users (id) on delete set null,
    updated_at  timestamptz not null default now()
);

-- A run of a draft has a version below zero, under which workflow_versions keeps what it runs: the draft may change meanwhile.
-- These runs are few. A run's version never changes, so the index costs the others nothing.
create index runs_of_drafts on runs (project_id, workflow_id, version) where version < 0;
create index workflow_versions_of_drafts on workflow_versions (created_at) where version < 0;

-- +goose Down
drop index runs_of_drafts, workflow_versions_of_drafts;
delete from run_live l using runs r where r.id = l.id and r.version < 0;
delete from runs where version < 0;
drop table drafts;
delete from workflow_versions where version <= 0;
delete from workflows where version = 0;
drop sequence draft_revisions;
