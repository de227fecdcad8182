-- Desired state, refs, packs, sync points and history. PostgreSQL 14 or newer.

CREATE TABLE repositories (
  id             text PRIMARY KEY,
  namespace      text NOT NULL,
  slug           text NOT NULL,
  description    text NOT NULL DEFAULT '',
  visibility     text NOT NULL DEFAULT 'private' CHECK (visibility IN ('private', 'public')),
  default_branch text NOT NULL DEFAULT 'main',
  -- Who declared it: api, resource or file, with the resource's uid or the manifest's key.
  owner_kind     text NOT NULL DEFAULT 'api' CHECK (owner_kind IN ('api', 'resource', 'file')),
  owner_ref      text NOT NULL DEFAULT '',
  deletion_policy text NOT NULL DEFAULT 'Retain' CHECK (deletion_policy IN ('Retain', 'Delete')),
  -- Moves with every publish. A local view is current when it was built at this version.
  version        bigint NOT NULL DEFAULT 0,
  created_at     timestamptz NOT NULL DEFAULT now(),
  updated_at     timestamptz NOT NULL DEFAULT now(),
  UNIQUE (namespace, slug)
);

CREATE TABLE refs (
  repository_id text NOT NULL REFERENCES repositories ON DELETE CASCADE,
  name          text COLLATE "C" NOT NULL,
  oid           text NOT NULL CHECK (oid ~ '^[0-9a-f]{40}$'),
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (repository_id, name)
);

CREATE TABLE reflog (
  id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  repository_id text NOT NULL REFERENCES repositories ON DELETE CASCADE,
  ref           text COLLATE "C" NOT NULL,
  old_oid       text,
  new_oid       text,
  actor         text NOT NULL,
  reason        text NOT NULL,
  at            timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reflog_by_ref ON reflog (repository_id, ref, id DESC);

-- Immutable packs. `name` is the pack's own SHA-1 trailer, as in pack-<name>.pack. Either both `pack_bytes` and
-- `idx_bytes` are here (small packs), or the blob store has them under <repository>/<id>.pack and .idx.
CREATE TABLE packs (
  id            text PRIMARY KEY,
  repository_id text NOT NULL REFERENCES repositories ON DELETE CASCADE,
  name          text NOT NULL CHECK (name ~ '^[0-9a-f]{40}$'),
  source        text NOT NULL CHECK (source IN ('commit', 'import', 'push', 'compact')),
  object_count  integer NOT NULL,
  pack_size     bigint NOT NULL,
  idx_size      bigint NOT NULL,
  pack_sha256   bytea NOT NULL,
  idx_sha256    bytea NOT NULL,
  pack_bytes    bytea,
  idx_bytes     bytea,
  created_at    timestamptz NOT NULL DEFAULT now(),
  retired_at    timestamptz,
  CHECK ((pack_bytes IS NULL) = (idx_bytes IS NULL))
);
ALTER TABLE packs ALTER pack_bytes SET STORAGE EXTERNAL, ALTER idx_bytes SET STORAGE EXTERNAL;
CREATE INDEX packs_by_repository ON packs (repository_id) WHERE retired_at IS NULL;

-- The `postgres` blob store: a blob is the parts of one key in order.
CREATE TABLE blob_parts (
  key   text COLLATE "C" NOT NULL,
  part  integer NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (key, part)
);
ALTER TABLE blob_parts ALTER bytes SET STORAGE EXTERNAL;
CREATE TABLE blobs (
  key        text COLLATE "C" PRIMARY KEY,
  size       bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE connections (
  id                text PRIMARY KEY,
  namespace         text NOT NULL,
  -- Resource or manifest name; for a connection made by the API, its id.
  name              text NOT NULL,
  label             text NOT NULL DEFAULT '',
  provider          text NOT NULL CHECK (provider IN ('github', 'gitlab', 'git')),
  base_url          text,
  -- Sealed by AES-256-GCM; null: anonymous, or the Secret could not be read (then error_code says why).
  credential        bytea,
  ca_pem            text,
  owner_kind        text NOT NULL CHECK (owner_kind IN ('api', 'resource', 'file')),
  owner_ref         text NOT NULL DEFAULT '',
  -- Why the declaration cannot be used, for example SecretMissing; null when it can.
  error_code        text,
  error             text,
  external_username text,
  scopes            text[],
  expires_at        timestamptz,
  created_at        timestamptz NOT NULL DEFAULT now(),
  updated_at        timestamptz NOT NULL DEFAULT now(),
  UNIQUE (owner_kind, namespace, name)
);

CREATE TABLE syncs (
  id              text PRIMARY KEY,
  namespace       text NOT NULL,
  -- Resource or manifest name; for a sync made by the API, its id.
  name            text NOT NULL,
  repository_id   text NOT NULL REFERENCES repositories ON DELETE CASCADE,
  connection_id   text REFERENCES connections ON DELETE SET NULL,
  -- The connection's declared name, also while no such connection exists; null: anonymous.
  connection_name text,
  owner_kind      text NOT NULL CHECK (owner_kind IN ('api', 'resource', 'file')),
  owner_ref       text NOT NULL DEFAULT '',
  -- A domain SyncSpec as JSON, and a number that moves whenever it, the repository or the connection changes.
  spec            jsonb NOT NULL,
  generation      bigint NOT NULL DEFAULT 1,
  suspended       boolean NOT NULL DEFAULT false,

  -- The repository did not exist before this sync; its first import names the default branch.
  made_repository boolean NOT NULL DEFAULT false,
  -- The last value of coregit.dev/requestedAt that made the sync due.
  requested_at    text,

  -- Schedule and lease. 'infinity': nothing is due. `next_run_at` is the schedule, `trigger_at` is when somebody asked for
  -- a run. A claim sets what was due to 'infinity', takes the lease and adds one to lease_epoch; whatever brings either
  -- forward meanwhile causes one more run after it.
  next_run_at     timestamptz NOT NULL DEFAULT now(),
  trigger_at      timestamptz NOT NULL DEFAULT 'infinity',
  lease_owner     text,
  lease_until     timestamptz,
  lease_epoch     bigint NOT NULL DEFAULT 0,
  failures        integer NOT NULL DEFAULT 0,

  -- What the last run that came to a conclusion saw. The same again: there is nothing to do.
  seen_generation bigint,
  seen_remote     text,
  seen_local      text,

  -- What status and /sync/config show.
  last_synced_sha text,
  last_synced_at  timestamptz,
  last_error      text,
  last_error_code text,
  last_error_details jsonb,
  remote_sha      text,
  local_sha       text,
  remote_branch   text,
  local_branch    text,
  -- The last run that changed something or failed.
  last_run_id     text,
  plan            jsonb,
  handled_generation bigint NOT NULL DEFAULT 0,

  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  UNIQUE (owner_kind, namespace, name)
);
CREATE INDEX syncs_due ON syncs (LEAST(next_run_at, trigger_at)) WHERE lease_owner IS NULL AND NOT suspended;
CREATE INDEX syncs_leased ON syncs (lease_until) WHERE lease_owner IS NOT NULL;
CREATE INDEX syncs_by_repository ON syncs (repository_id);
CREATE INDEX syncs_by_connection ON syncs (connection_id) WHERE connection_id IS NOT NULL;

-- Sync points: what the last success left, one for each local branch that the sync wrote (a trigger may name another
-- branch than the configured one). The remote's commit object itself is kept so that the next fetch can name it to the
-- remote; its tree and blobs are in the repository's packs, it is not.
CREATE TABLE sync_points (
  sync_id       text NOT NULL REFERENCES syncs ON DELETE CASCADE,
  branch        text COLLATE "C" NOT NULL,
  remote_branch text NOT NULL,
  remote_commit text NOT NULL,
  remote_tree   text NOT NULL,
  remote_object bytea NOT NULL,
  -- Null: the source was empty and the branch is not there.
  local_commit  text,
  local_tree    text,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (sync_id, branch)
);

-- History. Outlives its sync; goes with its repository. A failure that repeats the one before it adds to `attempts` and
-- moves `completed_at` instead of making a row, so that a remote that is down for a week does not fill the table.
CREATE TABLE runs (
  id             text PRIMARY KEY,
  sync_id        text NOT NULL,
  repository_id  text NOT NULL REFERENCES repositories ON DELETE CASCADE,
  lease_epoch    bigint NOT NULL,
  direction      text NOT NULL CHECK (direction IN ('import', 'export')),
  status         text NOT NULL CHECK (status IN ('running', 'success', 'skipped', 'error')),
  code           text,
  message        text NOT NULL DEFAULT '',
  details        jsonb,
  branch         text,
  remote_sha     text,
  commit_sha     text,
  added          integer NOT NULL DEFAULT 0,
  modified       integer NOT NULL DEFAULT 0,
  deleted        integer NOT NULL DEFAULT 0,
  remote_calls   integer NOT NULL DEFAULT 0,
  received_bytes bigint NOT NULL DEFAULT 0,
  attempts       integer NOT NULL DEFAULT 1,
  plan           jsonb,
  started_at     timestamptz NOT NULL DEFAULT now(),
  completed_at   timestamptz
);
CREATE INDEX runs_by_sync ON runs (sync_id, started_at DESC, id DESC);
CREATE INDEX runs_by_repository ON runs (repository_id, started_at DESC, id DESC);
CREATE INDEX runs_by_time ON runs (started_at DESC, id DESC);
CREATE INDEX runs_running ON runs (sync_id) WHERE status = 'running';

-- Somebody waits for a run. A run takes all that ask for the same branch and mode; each is settled by its run.
-- `run_id` is given when the trigger is made; `epoch` is the lease that took it, null before.
CREATE TABLE triggers (
  id         text PRIMARY KEY,
  sync_id    text NOT NULL REFERENCES syncs ON DELETE CASCADE,
  branch     text,
  mode       text NOT NULL CHECK (mode IN ('Apply', 'Plan')),
  run_id     text NOT NULL,
  epoch      bigint,
  settled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX triggers_open ON triggers (sync_id, created_at) WHERE settled_at IS NULL;

-- One row: the operator's leader epoch. Projections by an older leader write nothing.
CREATE TABLE operator_epoch (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  epoch     bigint NOT NULL,
  holder    text NOT NULL,
  at        timestamptz NOT NULL DEFAULT now()
);
INSERT INTO operator_epoch (epoch, holder) VALUES (0, '');
