import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePorts } from "./free-ports.ts";

test("ports are below those that a kernel gives to any connection", async () => {
  const ports = await freePorts(3);
  for (const port of ports) expect(port).toBeLessThan(32_768);
});

test("ports that were given a moment ago are not given again, though nobody listens on them yet", async () => {
  const ports = [...(await freePorts(3)), ...(await freePorts(3)), ...(await freePorts(1))];
  expect(new Set(ports).size).toBe(7);
});

test("a port that somebody listens on is passed over", async () => {
  const [before] = await freePorts(1);
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(before + 1, "127.0.0.1", resolve));
  const [after] = await freePorts(1);
  await new Promise<void>((resolve) => taken.close(() => resolve()));
  expect(after).toBeGreaterThan(before + 1);
});
