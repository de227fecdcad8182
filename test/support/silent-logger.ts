// A logger for code under test whose lines nobody reads.

import type { Logger } from "../../src/domain/log.ts";

const ignore = (): void => undefined;

export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore, child: () => silentLogger };
