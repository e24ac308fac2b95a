-- +goose Up

-- How much of the disk a project's runs, deliveries and ledger may take up, in bytes. Null: what holds for the installation.
alter table projects add column quota_storage bigint check (quota_storage > 0);

-- How much they do, as the scheduler last measured it.
create table project_storage (
    project_id  uuid primary key,
    bytes       bigint      not null,
    measured_at timestamptz not null
);

-- What is the matter with a project as a whole is of no workflow.
alter table alert_incidents alter column workflow_id drop not null;

-- +goose Down
delete from alert_incidents where workflow_id is null;
alter table alert_incidents alter column workflow_id set not null;
drop table project_storage;
alter table projects drop column quota_storage;
