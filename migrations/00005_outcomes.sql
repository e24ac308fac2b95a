-- +goose Up
-- What a live run needs so that it can be held for a person, parked for a host, and ended without its worker's help. None
-- of these columns stands in an index, as all that change while a run lives.
alter table run_live
    add column deadline_at timestamptz, -- the earliest of the run's and of its running attempts', as the worker last said with a beat
    add column cancel_at   timestamptz, -- since when it is to end
    add column reason      text, -- why it waits or is held, for people
    add column held_at     timestamptz, -- since when a person is to decide; its due_at is infinity meanwhile
    add column held_for    double precision not null default 0; -- seconds that persons took; they do not count as the run's time

-- When an attempt began that reaches outside: from then on it may have happened, whatever became of its worker.
alter table step_runs add column sent_at timestamptz;

-- How much of a host all workers together may use, as an administrator says.
create table host_limits (
    host           text primary key, -- lower-case name:port
    max_concurrent integer check (max_concurrent between 1 and 100000), -- null: as many as there are
    per_second     double precision check (per_second > 0 and per_second <= 100000), -- null: as fast as they come
    burst          integer not null check (burst between 1 and 100000), -- calls at once after a pause
    updated_at     timestamptz not null default now()
);

-- +goose Down
drop table host_limits;
alter table step_runs drop column sent_at;
alter table run_live drop column deadline_at, drop column cancel_at, drop column reason, drop column held_at, drop column held_for;
