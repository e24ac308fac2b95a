-- +goose Up

-- How far a run had come when it lost its last worker: attempts of steps that had ended, and runs of its own that had. Workers
-- that are lost while it gets on are no sign that it kills them.
alter table run_live add column crash_progress integer not null default 0;

-- +goose Down
alter table run_live drop column crash_progress;
