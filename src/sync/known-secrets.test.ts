import { expect, test } from "vitest";
import { type Belonging, open, seal } from "../db/seal.ts";
import { webhookSecrets } from "../domain/webhook-secrets.ts";
import { KnownSecrets } from "./known-secrets.ts";

const keys = [new Uint8Array(32).fill(1)];
const belonging: Belonging = { what: "webhook secret", id: "hook_1" };
const sealed = (secret: number) => seal(keys, belonging, Buffer.alloc(32, secret));

test("a secret is opened once, and another one of the same webhook anew", () => {
  const known = new KnownSecrets(keys);
  const [first, second] = [sealed(1), sealed(2)];
  const secrets = known.of({ id: "hook_1", sealedSecret: first });
  expect(secrets).toEqual(webhookSecrets(open(keys, belonging, first)));
  expect(known.of({ id: "hook_1", sealedSecret: Buffer.from(first) })).toBe(secrets);
  expect(known.of({ id: "hook_1", sealedSecret: second })).toEqual(webhookSecrets(Buffer.alloc(32, 2)));
});

test("what was opened for one webhook is not another's", () => {
  const known = new KnownSecrets(keys);
  const sealedSecret = sealed(1);
  known.of({ id: "hook_1", sealedSecret });
  expect(() => known.of({ id: "hook_2", sealedSecret })).toThrow("cannot be opened");
});
