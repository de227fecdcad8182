// Adds keys to a Secret that may not be there yet, without touching those that it has.
import { CoregitError } from "../domain/errors.ts";
import { hasStatus } from "../kube/api-error.ts";
import type { KubeApi } from "../kube/kube-api.ts";
import type { KubeObject, ObjectName } from "../kube/object.ts";
import { SECRET } from "./kinds.ts";

/** The Secret's texts by key. */
export type SecretTexts = Readonly<Record<string, string>>;

const ATTEMPTS = 3;

/**
 * Writes what `decide` answers for the texts that the Secret holds, and answers the texts that it holds then. `decide` is
 * asked again when somebody else wrote the Secret meanwhile.
 */
export async function fillSecret(
  api: KubeApi,
  name: ObjectName,
  decide: (present: SecretTexts) => SecretTexts,
  signal: AbortSignal,
): Promise<SecretTexts> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const secret = await api.get(SECRET, name, { signal });
    const present = textsOf(secret);
    const added = decide(present);
    if (Object.keys(added).length === 0 || (await write(api, name, { secret, added }, signal))) return { ...present, ...added };
  }
  throw new CoregitError("Internal", `The Secret ${name.name} is being written by somebody else; try again.`);
}

type Addition = { readonly secret: KubeObject | null; readonly added: SecretTexts };

/** False when the Secret is another than the one that was read. */
async function write(api: KubeApi, name: ObjectName, { secret, added }: Addition, signal: AbortSignal): Promise<boolean> {
  try {
    if (secret === null) {
      await api.create(SECRET, name.namespace, { metadata: { name: name.name }, type: "Opaque", stringData: added }, { signal });
    } else {
      const { resourceVersion } = secret.metadata;
      await api.patch(SECRET, name, { metadata: { resourceVersion }, stringData: added }, { signal });
    }
    return true;
  } catch (error) {
    if (hasStatus(error, 409)) return false;
    throw error;
  }
}

function textsOf(secret: KubeObject | null): SecretTexts {
  const { data = {} } = (secret ?? {}) as { readonly data?: Readonly<Record<string, string>> };
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}
