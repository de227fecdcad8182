-- Branches that are never deleted and only move forward: names and globs such as release/*.
ALTER TABLE repositories ADD COLUMN protected_branches text[] NOT NULL DEFAULT '{}';

-- A new ref is looked for under names that differ from its own only in the case of ASCII letters.
CREATE INDEX refs_by_folded_name ON refs (repository_id, lower(name));
