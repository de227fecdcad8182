// vitest's setup of every test file: says which test speaks, and observes what its process starts.
import { beforeEach, expect } from "vitest";
import { keepSaid, TEST_SOURCE } from "./evidence.ts";
import "./observe-processes.ts";

const { testPath = "" } = expect.getState();
keepSaid(TEST_SOURCE, testPath);
beforeEach(({ task }) => keepSaid(TEST_SOURCE, `${testPath} > ${task.name}`));
