// A logger that keeps its lines, for tests of what operators of the program are told.
import type { Logger } from "../../src/domain/log.ts";
import { keepLine } from "./silent-logger.ts";

export type RecordedLine = {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
};

export type RecordedLogger = Logger & { readonly lines: RecordedLine[] };

export function createRecordedLogger(): RecordedLogger {
  const lines: RecordedLine[] = [];
  const recorder =
    (level: RecordedLine["level"]): Logger["info"] =>
    (...args: [Readonly<Record<string, unknown>> | string, string?]) => {
      keepLine(args);
      const [first, second] = args;
      if (typeof first === "string") lines.push({ level, fields: {}, message: first });
      else lines.push({ level, fields: first, message: second ?? "" });
    };
  const logger: RecordedLogger = {
    lines,
    debug: recorder("debug"),
    info: recorder("info"),
    warn: recorder("warn"),
    error: recorder("error"),
    child: () => logger,
  };
  return logger;
}
