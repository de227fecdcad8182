// What every refusal and failure is answered with, but git's.
import { z } from "zod";
import { apiCode, ERROR_CODES, type ErrorCode } from "../../domain/errors.ts";
import { rowId, sha } from "./fields.ts";

const codes = (Object.keys(ERROR_CODES) as ErrorCode[]).map(apiCode);

export const problemAnswer = z
  .strictObject({
    error: z.string().describe("One sentence for a person."),
    code: z.enum(codes).describe("One word for a program. The page of error codes says what each means and what there is to do."),
    field: z.string().exactOptional().describe("The field that is wrong, for example `changes[3]`."),
    path: z.string().exactOptional().describe("The file that it is about."),
    ref: z.string().exactOptional().describe("The full name of the ref that it is about."),
    conflicting: z.string().exactOptional().describe("The ref that leaves no room for it."),
    head_sha: sha.nullable().exactOptional().describe("Where the ref is now; null: it is not there."),
    branch: z.string().exactOptional().describe("The protected branch that it is about."),
    pattern: z.string().exactOptional().describe("What protects it, as the repository's `protected_branches` have it."),
    managed_by: z.string().exactOptional().describe("Who declares what was to be changed."),
    syncs: z.array(rowId).exactOptional().describe("The syncs that are in the way."),
    size: z.int().exactOptional().describe("Bytes that there are."),
    max_size: z.int().exactOptional().describe("Bytes that there may be."),
    run_id: rowId.exactOptional().describe("The run that failed."),
    details: z.record(z.string(), z.unknown()).exactOptional().describe("What the run says about its failure."),
  })
  .meta({ id: "Problem" });
