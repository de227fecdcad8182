-- The provider's number of the repository that a webhook is in, noted before it is made there: a name may lead elsewhere by the time
-- that it is removed, and its sync be gone. Null: nobody has asked yet.
ALTER TABLE webhooks ADD COLUMN remote_id text;
