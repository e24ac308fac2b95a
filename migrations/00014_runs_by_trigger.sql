-- +goose Up

-- Runs that neither a schedule nor a person started are few, and are found among millions of the others. Those two are written
-- most: they are not to pay for an index.
create index runs_otherwise on runs (project_id, trigger, id) where trigger not in ('schedule', 'manual');

-- +goose Down
drop index runs_otherwise;
