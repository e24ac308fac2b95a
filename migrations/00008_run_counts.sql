-- +goose Up

-- Which bucket a run's duration counts in: four to each doubling, so that a bucket b holds from 2^(b/4) milliseconds up to
-- its next; -1 holds runs that never began. Sums of buckets give percentiles and histograms of any period.
-- +goose StatementBegin
create function duration_bucket(began timestamptz, ended timestamptz) returns smallint
    language sql immutable parallel safe
    return case when began is null or ended is null then -1
                else least(127, floor(4 * ln(greatest(extract(epoch from ended - began)::float8 * 1000, 1)) / ln(2::float8) + 1e-9)) end::smallint;
-- +goose StatementEnd

-- How many runs ended, by the hour in which they were made, how they ended, and how long they took. A row counts the runs of
-- one workflow, or of a whole project: then its workflow_id is the project's id. The statements that end runs add to it. Each
-- connection adds to rows of its own (writer), so that nobody waits for anybody; the scheduler joins them later (writer 0).
create table run_counts (
    project_id  uuid        not null,
    workflow_id uuid        not null,
    hour        timestamptz not null,
    status      text        not null check (status in ('succeeded', 'failed', 'cancelled')),
    bucket      smallint    not null,
    writer      smallint    not null,
    n           bigint      not null,
    primary key (project_id, workflow_id, hour, status, bucket, writer)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create index run_counts_apart on run_counts (hour) where writer <> 0;
create index run_counts_hour on run_counts (hour);

insert into run_counts
select r.project_id, k.workflow_id, date_trunc('hour', r.created_at, 'UTC'), r.status, duration_bucket(r.started_at, r.finished_at), 0, count(*)
  from runs r cross join lateral (values (r.workflow_id), (r.project_id)) k (workflow_id)
 where r.status in ('succeeded', 'failed', 'cancelled')
 group by 1, 2, 3, 4, 5;

create index triggers_paused on triggers (project_id) where paused_reason is not null;

-- +goose Down
drop index triggers_paused;
drop table run_counts;
drop function duration_bucket;
