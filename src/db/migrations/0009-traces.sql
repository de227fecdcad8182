-- What woke a sync since it was claimed last, for the trace of the run that follows: W3C traceparents, the first in front. Empty
-- while nobody records traces.
ALTER TABLE syncs ADD COLUMN wake_traces text[] NOT NULL DEFAULT '{}';
-- In which trace a ref was moved, so that the exports of it go on with that.
ALTER TABLE reflog ADD COLUMN traceparent text;
-- The trace that a run is part of; null: none was recorded.
ALTER TABLE runs ADD COLUMN trace_id text;
