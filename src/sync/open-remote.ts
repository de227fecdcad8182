// From a claimed sync to its remote: the connection's row, its credential (opened here, for this run only) and the adapter.
import { readConnection } from "../db/connections.ts";
import { openCredential } from "../db/credential-seal.ts";
import { CoregitError } from "../domain/errors.ts";
import type { DeclaredTarget, Remote } from "../remotes/remote.ts";
import { followIdentity } from "./remote-identity.ts";
import type { Run } from "./run.ts";

/**
 * @throws CoregitError `ConnectionMissing`, `CredentialUnreadable`, `InvalidSpec`, those of `Remotes.signIn`, and why the connection
 *   cannot be used.
 */
export async function openRemote(run: Run): Promise<Remote> {
  const { remotes } = run.deps;
  const target = followIdentity(run, await resolveTarget(run));
  const remote = remotes.open(await remotes.signIn(target, run.signal));
  run.progress.remote = remote;
  return remote;
}

async function resolveTarget({ claim, deps }: Run): Promise<DeclaredTarget> {
  const { remote } = claim.spec;
  if (claim.connectionName === null) {
    return { provider: "git", baseUrl: null, remote, credential: null, caPem: null };
  }
  const connection = claim.connectionId === null ? null : await readConnection(deps.database, claim.connectionId);
  if (connection === null) {
    const sentence = `There is no Connection ${claim.connectionName} in the namespace ${claim.namespace}.`;
    throw new CoregitError("ConnectionMissing", sentence);
  }
  if (connection.error !== null) {
    throw new CoregitError(connection.error.code, `Connection ${claim.connectionName}: ${connection.error.message}`);
  }
  const { provider, baseUrl, caPem, sealedCredential } = connection;
  const credential = sealedCredential === null ? null : openCredential(deps.keys, connection.id, sealedCredential);
  return { provider, baseUrl, remote, credential, caPem };
}
