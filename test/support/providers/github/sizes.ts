// Sizes at which the double refuses as GitHub does. GitHub documents few of them; reports of trees differ from some 200 to 3,000
// entries, so a client must be ready to send less.
export type GitHubSizes = {
  /** Entries of one tree request. */
  treeEntries: number;
  /** Bytes of one tree request. */
  treeBytes: number;
  /** What a tree request above the sizes hears: GitHub's texts for 422, 502 or nginx's 405. */
  treeRefusal: 422 | 502 | 405;
  /** The tree is written all the same; only the answer is a refusal. */
  isTreeWrittenAnyway: boolean;
  /** Decoded bytes of one blob request. */
  blobBytes: number;
  /** Bytes of one object in a push (documented: 100 MiB). */
  pushedBlobBytes: number;
  /** Entries of a recursive listing before it is truncated (documented: 100,000 and 7 MB). */
  listedEntries: number;
  listedBytes: number;
  /** Hooks of a repository for one event (documented: 20). */
  hooks: number;
  /** Bytes of all files of `createCommitOnBranch`. */
  graphqlBytes: number;
};

const MIB = 1024 * 1024;

export function defaultSizes(): GitHubSizes {
  return {
    treeEntries: 500,
    treeBytes: 5 * MIB,
    treeRefusal: 422,
    isTreeWrittenAnyway: false,
    blobBytes: 35 * MIB,
    pushedBlobBytes: 100 * MIB,
    listedEntries: 100_000,
    listedBytes: 7_000_000,
    hooks: 20,
    graphqlBytes: 40 * MIB,
  };
}
