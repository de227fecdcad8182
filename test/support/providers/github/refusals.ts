// GitHub's error bodies: `message`, `documentation_url` and the status as text.
import { Refusal } from "../answer.ts";

const DOCUMENTATION = "https://docs.github.com/";

/** `page` is the part of the documentation's address after the host. */
export function apiRefusal(
  status: number,
  message: string,
  page = "rest",
  headers: Readonly<Record<string, string>> = {},
): Refusal {
  return new Refusal(status, { message, documentation_url: `${DOCUMENTATION}${page}`, status: String(status) }, headers);
}

export type FieldError = {
  readonly resource: string;
  readonly code: string;
  readonly field?: string;
  readonly message?: string;
};

export function validationFailed(errors: readonly FieldError[], page = "rest"): Refusal {
  return new Refusal(422, {
    message: "Validation Failed",
    errors,
    documentation_url: `${DOCUMENTATION}${page}`,
    status: "422",
  });
}

export const notFound = (page = "rest"): Refusal => apiRefusal(404, "Not Found", page);
export const unprocessable = (message: string, page = "rest"): Refusal => apiRefusal(422, message, page);
export const emptyRepository = (page = "rest/git/trees#get-a-tree"): Refusal => apiRefusal(409, "Git Repository is empty.", page);
