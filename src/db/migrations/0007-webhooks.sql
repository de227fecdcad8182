-- Webhooks at providers: a row for each sync that wants one, whatever has become of it there. It outlives its sync, because what was
-- registered is still to be removed.
CREATE TABLE webhooks (
  id               text PRIMARY KEY,
  sync_id          text NOT NULL,
  -- Where the provider delivers to; null: this server has no public URL.
  url              text,
  -- The repository at the provider that it is for, as the sync and its connection named it when the row was made.
  provider         text NOT NULL CHECK (provider IN ('github', 'gitlab', 'git')),
  base_url         text,
  remote           text NOT NULL,
  connection_id    text,
  -- The connection's, once it is gone or leads to another server; null: the connection has them.
  credential       bytea,
  ca_pem           text,
  -- Sealed by AES-256-GCM; all that deliveries prove themselves with is derived from it.
  secret           bytea NOT NULL,
  hook_id          text,
  state            text NOT NULL DEFAULT 'Pending' CHECK (state IN ('Pending', 'Active', 'Unavailable')),
  -- Why it is unavailable, for people.
  message          text,
  failures         integer NOT NULL DEFAULT 0,
  -- To the minute.
  last_delivery_at timestamptz,
  next_check_at    timestamptz NOT NULL DEFAULT now(),
  -- Whoever works on it at the provider, and a number that moves with each of them.
  lease_until      timestamptz,
  lease_epoch      bigint NOT NULL DEFAULT 0,
  -- The sync does not want it any more: it is removed at the provider, then here.
  retired_at       timestamptz,
  created_at       timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX webhooks_live ON webhooks (sync_id) WHERE retired_at IS NULL;
CREATE INDEX webhooks_by_sync ON webhooks (sync_id);
CREATE INDEX webhooks_by_connection ON webhooks (connection_id);
CREATE INDEX webhooks_due ON webhooks (next_check_at);

-- What was delivered lately, so that the same delivery again is known.
CREATE TABLE webhook_deliveries (
  sync_id     text COLLATE "C" NOT NULL,
  delivery_id text COLLATE "C" NOT NULL,
  at          timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sync_id, delivery_id)
);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (at);

-- The lease_epoch at which a delivery announced news last: a run that finds news without one has found a delivery that was lost.
ALTER TABLE syncs ADD COLUMN announced_epoch bigint;
