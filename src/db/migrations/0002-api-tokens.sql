-- Scoped API tokens. The token itself is nowhere: only its SHA-256.
CREATE TABLE api_tokens (
  id           text PRIMARY KEY,
  name         text NOT NULL,
  -- The first characters, by which people recognise it.
  key_prefix   text NOT NULL,
  key_sha256   bytea NOT NULL UNIQUE CHECK (octet_length(key_sha256) = 32),
  -- Rights by `repos:*`, `repos:slug` or `repos:namespace/slug`.
  scopes       jsonb NOT NULL,
  -- Null: until it is revoked, which removes the row.
  expires_at   timestamptz,
  last_used_at timestamptz,
  created_at   timestamptz NOT NULL
);
CREATE INDEX api_tokens_by_time ON api_tokens (created_at DESC, id DESC);
