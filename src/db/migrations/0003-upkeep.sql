-- What a local view asks before it lets go of files: which packs of a repository were retired lately.
CREATE INDEX packs_retired_by_repository ON packs (repository_id, retired_at) WHERE retired_at IS NOT NULL;
