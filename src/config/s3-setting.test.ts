import { describe, expect, test } from "vitest";
import { readS3Setting } from "./s3-setting.ts";
import { ValueProblem } from "./value-problem.ts";

const PLAIN = { kind: "s3", bucket: "packs", prefix: "", endpoint: null, region: null, forcePathStyle: false };

describe("the setting of an S3 bucket", () => {
  test.each([
    ["s3://packs", {}],
    ["s3://packs/", {}],
    ["s3://packs/coregit/prod/", { prefix: "coregit/prod" }],
    ["s3://my.packs-1?region=eu-central-1", { bucket: "my.packs-1", region: "eu-central-1" }],
    ["s3://packs?endpoint=http://127.0.0.1:9000/", { endpoint: "http://127.0.0.1:9000" }],
    ["s3://packs?endpoint=https%3A%2F%2Fs3.example.com%2Fstorage%2Fv1", { endpoint: "https://s3.example.com/storage/v1" }],
    ["s3://packs/a?forcePathStyle=true&region=auto", { prefix: "a", forcePathStyle: true, region: "auto" }],
    ["s3://packs?forcePathStyle=false", {}],
  ])("%s", (text, expected) => {
    expect(readS3Setting(text)).toEqual({ ...PLAIN, ...expected });
  });

  test.each([
    ["s3:packs", "must name a bucket"],
    ["s3:///prefix", "must name a bucket"],
    ["s3://Packs", "must name a bucket"],
    ["s3://packs:9000", "must name a bucket"],
    ["s3://p", "must name a bucket"],
    ["s3://AKIAHUNTER2:hunter2@packs", "must not contain credentials"],
    ["s3://packs/a//b", "must have a prefix"],
    ["s3://packs/a%20b", "must have a prefix"],
    [`s3://packs/${"x".repeat(257)}`, "must have a prefix"],
    ["s3://packs#part", "must not have a fragment"],
    ["s3://packs?secretAccessKey=hunter2", 'has the unknown parameter "secretAccessKey"'],
    ["s3://packs?forcepathstyle=true", 'has the unknown parameter "forcepathstyle"'],
    ["s3://packs?region=a&region=b", "has the parameter region twice"],
    ["s3://packs?region=eu%20central", "must have a region"],
    ["s3://packs?region=", "must have a region"],
    ["s3://packs?forcePathStyle=1", "must have forcePathStyle as true or false"],
    ["s3://packs?endpoint=s3.example.com", "must have an endpoint"],
    ["s3://packs?endpoint=ftp://s3.example.com", "must have an endpoint"],
    ["s3://packs?endpoint=https://me:hunter2@s3.example.com", "must not have a user name or password in its endpoint"],
    ["s3://packs?endpoint=https://s3.example.com/%3Fa=hunter2%23", "must have an endpoint without query"],
  ])("%s is refused", (text, expected) => {
    const problem = problemOf(text);
    expect(problem).toContain(expected);
    expect(problem).not.toContain("hunter2");
  });
});

function problemOf(text: string): string {
  try {
    readS3Setting(text);
  } catch (error) {
    if (error instanceof ValueProblem) return error.message;
    throw error;
  }
  throw new Error("It was not refused.");
}
