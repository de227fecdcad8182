// The repository at a provider that a sync is tied to: a name may go to another repository, a number never does.

export type RemoteIdentity = {
  /** The declared remote that it was asked for, in a form to compare: another declaration is tied anew. */
  readonly declared: string;
  /** The provider's number of the repository. */
  readonly id: string;
  /** Its present name: `owner/repo`, `group/sub/project`. */
  readonly path: string;
};
