// What lets a connection in. Its values are secrets: never logged, never shown, sealed wherever they rest.

export type Credential =
  | { readonly kind: "token"; readonly token: string }
  | { readonly kind: "basic"; readonly username: string; readonly password: string };
