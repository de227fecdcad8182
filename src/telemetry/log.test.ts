import { Writable } from "node:stream";
import { describe, expect, test } from "vitest";
import { CoregitError } from "../domain/errors.ts";
import { createLogger, type LogOptions } from "./log.ts";

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, logger: createLogger({ level: "info", format: "json", destination, ...options }) };
}

const TOKEN = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";

describe("the logger", () => {
  test("writes one JSON line with level, time, fields and message", () => {
    const { lines, logger } = capture();
    logger.info({ sync: "sync_1" }, "Imported 3 files.");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toEqual({
      level: 30,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      sync: "sync_1",
      msg: "Imported 3 files.",
    });
  });

  test("leaves out what is below its level", () => {
    const { lines, logger } = capture({ level: "warn" });
    logger.info("quiet");
    logger.debug("quieter");
    logger.warn("heard");
    expect(lines).toHaveLength(1);
  });

  test("carries bound fields on every line of a child", () => {
    const { lines, logger } = capture();
    logger.child({ run: "run_1" }).child({ part: "fetch" }).error("It failed.");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ run: "run_1", part: "fetch", msg: "It failed." });
  });

  test("writes no secret from messages, fields, bound fields, errors or their causes", () => {
    const { lines, logger } = capture();
    const cause = new Error(`fetch of https://bot:${TOKEN}@git.example failed`);
    const err = new CoregitError("AuthenticationFailed", `token ${TOKEN} refused`, {
      cause,
      details: { url: `https://x:${TOKEN}@h/` },
    });
    logger
      .child({ remote: `https://u:${TOKEN}@h/` })
      .warn({ err, password: "hunter22", deep: { list: [TOKEN] } }, `said ${TOKEN}`);
    logger.error(`plain ${TOKEN}`);
    expect(lines).toHaveLength(2);
    expect(lines.join("")).not.toContain(TOKEN);
    expect(lines.join("")).not.toContain("hunter22");
    expect(JSON.parse(lines[0] ?? "").err.cause.message).toContain("git.example failed");
  });

  test("names the trace in whose work a line is written, and none where there is none", () => {
    let traceId: string | null = null;
    const { lines, logger } = capture({ traceId: () => traceId });
    const child = logger.child({ sync: "sync_1" });
    child.info("before");
    traceId = "0af7651916cd43dd8448eb211c80319c";
    child.info({ run: "run_1" }, "within");
    const [before, within] = lines.map((line) => JSON.parse(line));
    expect(before).not.toHaveProperty("trace_id");
    expect(within).toMatchObject({ sync: "sync_1", run: "run_1", trace_id: traceId });
  });

  test("writes lines for people when asked to", () => {
    const { lines, logger } = capture({ format: "pretty" });
    logger.info({ sync: "sync_1" }, "Imported 3 files.");
    expect(lines.join("")).toMatch(/INFO.*Imported 3 files\.\n\s+sync: "sync_1"/s);
  });
});
