// The program's logger: pino behind the domain's port. Every line passes the domain's redaction, bound fields included, so no caller
// has to remember what is secret.
import { pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Logger } from "../domain/log.ts";
import { redact, redactFields } from "../domain/redact.ts";

export type LogOptions = {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly format: "json" | "pretty";
  /** Where lines go. They are written synchronously: a line before a crash is not lost. */
  readonly destination: NodeJS.WritableStream;
  /** Of the work in which a line is written; null: none is recorded. */
  readonly traceId?: () => string | null;
};

/** A logger whose lines are pino's JSON, or the same for people. */
export function createLogger(options: LogOptions): Logger {
  // Errors are plain data already when pino sees them; its own serializer would drop their causes.
  const serializers = { err: (value: unknown) => value };
  const { level, traceId } = options;
  const mixin = traceId === undefined ? {} : { mixin: () => traceField(traceId()) };
  const settings = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, serializers, ...mixin };
  const destination =
    options.format === "pretty"
      ? PinoPretty({ destination: options.destination, sync: true, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname" })
      : options.destination;
  return wrap(pino(settings, destination));
}

function traceField(traceId: string | null): object {
  return traceId === null ? {} : { trace_id: traceId };
}

type Sink = Pick<pino.Logger, "debug" | "info" | "warn" | "error" | "child" | "isLevelEnabled">;
type Level = "debug" | "info" | "warn" | "error";
type Fields = Readonly<Record<string, unknown>>;

function wrap(sink: Sink): Logger {
  const write =
    (level: Level) =>
    (fieldsOrMessage: Fields | string, message = ""): void => {
      if (!sink.isLevelEnabled(level)) return;
      if (typeof fieldsOrMessage === "string") sink[level](redact(fieldsOrMessage));
      else sink[level](redactFields(fieldsOrMessage), redact(message));
    };
  return {
    debug: write("debug"),
    info: write("info"),
    warn: write("warn"),
    error: write("error"),
    child: (fields) => wrap(sink.child(redactFields(fields))),
  };
}
