// The repository at a provider that a sync is tied to: a name may go to another repository, a number never does.
import type { Provider } from "./sync-spec.ts";

export type RemoteIdentity = {
  /** The declared remote that it was asked for, in a form to compare: another declaration is tied anew. */
  readonly declared: string;
  /** The provider's number of the repository. */
  readonly id: string;
  /** Its present name: `owner/repo`, `group/sub/project`. */
  readonly path: string;
};

/** A remote as it is declared. */
export type DeclaredPlace = { readonly provider: Provider; readonly baseUrl: string | null; readonly remote: string };

/** In the form that `RemoteIdentity.declared` has. */
export function declaredForm({ provider, baseUrl, remote }: DeclaredPlace): string {
  return JSON.stringify([provider, baseUrl, remote]);
}

/** The identity, when it is that of this very declaration. */
export function identityOf(identity: RemoteIdentity | null, place: DeclaredPlace): RemoteIdentity | null {
  return identity?.declared === declaredForm(place) ? identity : null;
}
