-- A remote that a run has just found as it was, though a delivery had announced news: deliveries make the sync due again no sooner than
-- this, so that a storm of them asks the remote for nothing at a bearable pace. Whatever else makes it due does so at once.
ALTER TABLE syncs ADD COLUMN quiet_until timestamptz NOT NULL DEFAULT '-infinity';
