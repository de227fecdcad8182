// Object names. Everything here is SHA-1, forty lower-case hex digits, as git's default object format.

declare const oidBrand: unique symbol;

/** A validated object name: forty lower-case hex digits. */
export type Oid = string & { readonly [oidBrand]: true };

const OID = /^[0-9a-f]{40}$/;

export function isOid(value: string): value is Oid {
  return OID.test(value);
}

/** @throws TypeError when `value` is not forty lower-case hex digits. */
export function parseOid(value: string): Oid {
  if (!isOid(value)) throw new TypeError(`not an object id: ${JSON.stringify(value.slice(0, 80))}`);
  return value;
}

/** git's well-known empty tree. */
export const EMPTY_TREE = parseOid("4b825dc642cb6eb9a060e54bf8d69288fbee4904");

/** The all-zero id that the wire uses for "no object". Never a real object's name. */
export const ZERO_OID = parseOid("0".repeat(40));
