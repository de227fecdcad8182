-- What keeps the packs sound.

-- When the bytes of a pack are read and compared with its hashes again, and what was wrong with them the last time.
ALTER TABLE packs
  ADD next_check_at timestamptz NOT NULL DEFAULT now() + interval '14 days',
  ADD damage text;
CREATE INDEX packs_by_check ON packs (next_check_at) WHERE retired_at IS NULL;
CREATE INDEX packs_damaged ON packs (repository_id) WHERE damage IS NOT NULL;
CREATE INDEX packs_by_retirement ON packs (retired_at) WHERE retired_at IS NOT NULL;

-- Packs that the blob store has and that no row of `packs` names, since this database knows of them. From `collected_at`
-- on their blobs are being deleted, and nobody may publish them any more.
CREATE TABLE orphaned_packs (
  id            text PRIMARY KEY,
  repository_id text NOT NULL,
  seen_at       timestamptz NOT NULL DEFAULT now(),
  collected_at  timestamptz
);
CREATE INDEX orphaned_packs_collected ON orphaned_packs (collected_at) WHERE collected_at IS NOT NULL;

-- How far the walk through the blob store has come, for whichever process goes on with it.
CREATE TABLE blob_walks (
  purpose   text PRIMARY KEY,
  after_key text NOT NULL DEFAULT '',
  ended_at  timestamptz NOT NULL DEFAULT '-infinity'
);
