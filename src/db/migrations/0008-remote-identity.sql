-- Which repository at the provider a sync is tied to, whatever becomes of its name: {declared, id, path}. `declared` is the remote
-- that the number was asked for, another declaration asks anew; `path` is the name that the provider has for it now. Null: nobody has
-- asked yet, or the provider does not tell.
ALTER TABLE syncs ADD COLUMN remote_identity jsonb;
