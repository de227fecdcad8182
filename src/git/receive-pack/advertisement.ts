// What a push is told first: the refs that there are and what this server can do. Unlike for a fetch there is no HEAD and
// nothing peeled. Protocol version 2 has no push, so a client that asks for it gets version 0.
import { type Oid, ZERO_OID } from "../../domain/oid.ts";
import { encodeLine, FLUSH } from "../../domain/pkt-line.ts";
import { isHiddenRef } from "../../domain/ref-name.ts";

/** No `push-options`: what a client would say with them is nobody's business here. */
const CAPABILITIES = [
  "report-status",
  "report-status-v2",
  "delete-refs",
  "side-band-64k",
  "quiet",
  "atomic",
  "ofs-delta",
  "object-format=sha1",
  "agent=coregit",
].join(" ");

/** Refs written at once. */
const BATCH = 1_000;

/** What follows the service line. `protocol`: the `Git-Protocol` header. */
export function* advertiseForPush(refs: ReadonlyMap<string, Oid>, protocol: string | null): Generator<Uint8Array> {
  if (protocol === "version=1") yield encodeLine("version 1");
  const visible = [...refs].filter(([name]) => !isHiddenRef(name));
  const [name, oid] = visible.shift() ?? ["capabilities^{}", ZERO_OID];
  yield encodeLine(`${oid} ${name}\0${CAPABILITIES}`);
  for (let start = 0; start < visible.length; start += BATCH) {
    yield Buffer.concat(visible.slice(start, start + BATCH).map(([name, oid]) => encodeLine(`${oid} ${name}`)));
  }
  yield FLUSH;
}
