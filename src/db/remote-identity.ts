// Which repository at the provider a sync is tied to: a column of `syncs`. A claim brings it along (sync-leases.ts).
import type { RemoteIdentity } from "../domain/remote-identity.ts";
import type { Queryable } from "./database.ts";
import type { Lease } from "./sync-leases.ts";

/** Nothing is written once the lease is lost. */
export async function writeRemoteIdentity(db: Queryable, lease: Lease, identity: RemoteIdentity): Promise<void> {
  await db.query(
    "UPDATE syncs SET remote_identity = $4, updated_at = now() WHERE id = $1 AND lease_epoch = $2 AND lease_owner = $3",
    [lease.syncId, lease.epoch, lease.owner, JSON.stringify(identity)],
  );
}
