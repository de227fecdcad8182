// How requests of git may travel (compressed, in chunks, after asking whether to, slowly), and clients that stop in the middle.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { encodePacket, FLUSH } from "../../src/domain/pkt-line.ts";
import { HTTP_LIMITS } from "../../src/http/limits.ts";
import { type HttpWorld, MASTER_KEY, openHttpWorld } from "../support/http-world.ts";
import { openPushTarget, type PushTarget, packOf, pushCommands, type WorkingCopy } from "../support/push-world.ts";
import { bytesWritten, findGit } from "../support/running-git.ts";
import { until } from "../support/until.ts";

const MEBIBYTE = 1024 * 1024;
const MAIN = "refs/heads/main";
const IDLE_MS = 1_500;

let http: HttpWorld;
let target: PushTarget;
let work: WorkingCopy;
let head: string;
let stack: AsyncDisposableStack;
let count = 0;

beforeAll(async () => {
  http = await openHttpWorld({
    limits: { ...HTTP_LIMITS, requestTimeoutMs: 1_000, bodyIdleMs: IDLE_MS, answerIdleMs: IDLE_MS, timeoutCheckMs: 100 },
  });
});
afterAll(() => http[Symbol.asyncDispose]());

beforeEach(async () => {
  count += 1;
  stack = new AsyncDisposableStack();
  target = stack.use(await openPushTarget(http, `transport-${count}`));
  work = stack.use(await target.clone());
  head = await work.commit({ "a.bin": randomBytes(200_000) });
});
afterEach(() => stack.disposeAsync());

const pushBody = async () => Buffer.concat([pushCommands([{ ref: MAIN, new: head }]), await packOf(work.path, head)]);

/** A connection on which a request has begun: what was sent is up to the caller from here on. */
async function begin(lines: readonly string[], key = MASTER_KEY): Promise<Socket> {
  const socket = connect(Number(new URL(http.url).port), "127.0.0.1");
  stack.defer(() => void socket.destroy());
  await once(socket, "connect");
  socket.on("error", () => undefined);
  socket.write(`${[...lines, "host: x", `x-api-key: ${key}`].join("\r\n")}\r\n\r\n`);
  return socket;
}

const PUSH = ["content-type: application/x-git-receive-pack-request", "transfer-encoding: chunked"];
const beginPush = (...headers: string[]) => begin([`POST /${target.name}.git/git-receive-pack HTTP/1.1`, ...PUSH, ...headers]);

function sendChunk(socket: Socket, bytes: Uint8Array): void {
  socket.write(`${bytes.byteLength.toString(16)}\r\n`);
  socket.write(bytes);
  socket.write("\r\n");
}

/** What comes until `end` stands in it, or the connection ends. */
async function readUntil(socket: Socket, end: string): Promise<string> {
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes(end)) break;
  }
  return text;
}

const alive = async () => expect((await http.ask("/livez", { headers: {} })).status).toBe(200);

describe("a push arrives", () => {
  test.each(["gzip", "x-gzip"])("compressed with %s", async (encoding) => {
    const answer = await target.post(gzipSync(await pushBody()), { "content-encoding": encoding });
    expect(await answer.text()).toContain(`ok ${MAIN}\n`);
    expect(await target.refs()).toEqual({ [MAIN]: head });
  });

  test("after asking whether it may be sent, in chunks of any size", async () => {
    const socket = await beginPush("expect: 100-continue");
    expect(await readUntil(socket, "\r\n\r\n")).toMatch(/^HTTP\/1\.1 100 Continue\r\n/);
    const body = await pushBody();
    for (const [start, end] of [
      [0, 1],
      [1, 2],
      [2, 100],
      [100, 70_000],
      [70_000, body.length],
    ] as const)
      sendChunk(socket, body.subarray(start, end));
    socket.write("0\r\n\r\n");
    expect(await readUntil(socket, "\r\n0\r\n\r\n")).toMatch(new RegExp(`^HTTP/1.1 200 OK.*ok ${MAIN}\n`, "s"));
    expect(await target.refs()).toEqual({ [MAIN]: head });
  });

  test("slower than any other request may be, as long as it does not fall silent", async () => {
    const body = await pushBody();
    const startedMs = performance.now();
    const pieces = 8;
    const dripping = new ReadableStream({
      async start(controller) {
        for (let piece = 0; piece < pieces; piece += 1) {
          controller.enqueue(body.subarray((body.length * piece) / pieces, (body.length * (piece + 1)) / pieces));
          await new Promise((resolve) => setTimeout(resolve, IDLE_MS / 4));
        }
        controller.close();
      },
    });
    expect(await (await target.post(dripping)).text()).toContain(`ok ${MAIN}\n`);
    expect(performance.now() - startedMs).toBeGreaterThan(1_500);
  });
});

describe("what is refused or cut off", () => {
  test("an expectation that nobody knows", async () => {
    expect(await readUntil(await beginPush("expect: miracles"), "\r\n\r\n")).toMatch(/^HTTP\/1\.1 417 /);
  });

  test.each(["br", "deflate", "gzip, gzip"])("a push with the encoding %s", async (encoding) => {
    const answer = await target.post(await pushBody(), { "content-encoding": encoding });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("encoding other than gzip")]);
    expect(await target.refs()).toEqual({});
  });

  test("a push that is not the gzip that it says it is", async () => {
    const broken = gzipSync(randomBytes(300_000));
    const sent = [await pushBody(), broken.subarray(0, -50), Buffer.concat([broken.subarray(0, 50_000), randomBytes(100_000)])];
    for (const body of sent) {
      const answer = await target.post(body, { "content-encoding": "gzip" });
      expect(answer.status).toBe(400);
    }
    expect(await target.refs()).toEqual({});
  });

  test("a chunk that is none", async () => {
    const socket = await beginPush();
    socket.write("zz\r\nhello\r\n");
    expect(await readUntil(socket, "\r\n\r\n")).toMatch(/^(HTTP\/1\.1 4|$)/);
    await alive();
  });

  test("any other request that is not complete in time", async () => {
    const startedMs = performance.now();
    const socket = await begin(["POST /v1/repos HTTP/1.1", "content-type: application/json", "content-length: 100"]);
    socket.write('{"slug":');
    expect(await readUntil(socket, "never")).not.toContain(" 201 ");
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe("a client that stops", () => {
  const large = 24 * MEBIBYTE;

  /** A fetch of everything, of which nothing has been read yet. */
  async function beginFetch(): Promise<Socket> {
    const want = [encodePacket(Buffer.from("command=fetch")), "0001", encodePacket(Buffer.from(`want ${head}\n`))];
    const body = Buffer.concat([...want, encodePacket(Buffer.from("done\n")), FLUSH].map((part) => Buffer.from(part)));
    const type = "content-type: application/x-git-upload-pack-request";
    const length = `content-length: ${body.length}`;
    const socket = await begin([`POST /${target.name}.git/git-upload-pack HTTP/1.1`, type, "git-protocol: version=2", length]);
    socket.pause();
    socket.write(body);
    return socket;
  }

  const packers = () => findGit(process.pid, /upload-pack|pack-objects/);

  test("to read in the middle of a clone holds no pack in memory, and is let go", async () => {
    head = await work.commit({ "large.bin": randomBytes(large) });
    await work.git("push", "--quiet", "origin", "main");
    const socket = await beginFetch();
    await until("git packs", async () => (await packers()).length > 0);
    let most = 0;
    await until("nothing is left of them", async () => {
      const running = await packers();
      const written = await Promise.all(running.map(({ pid }) => bytesWritten(pid)));
      most = Math.max(most, ...written.map((bytes) => bytes ?? 0));
      return running.length === 0;
    });
    // The server does not take from git what the client does not take from the server.
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(large / 2);
    socket.resume();
    await alive();
    expect(await work.git("ls-remote", "origin", "main")).toContain(head);
  });

  test("to send in the middle of a push leaves nothing, and the next push goes through", async () => {
    const body = await pushBody();
    const socket = await beginPush();
    sendChunk(socket, body.subarray(0, 100_000));
    await until("git reads the pack", async () => (await findGit(process.pid, /index-pack/)).length > 0);
    await until("git is gone", async () => (await findGit(process.pid, /index-pack/)).length === 0);
    expect(await target.refs()).toEqual({});
    await work.git("push", "--quiet", "origin", "main");
    expect(await target.refs()).toEqual({ [MAIN]: head });
  });

  test("to read the answer of a push has pushed all the same", async () => {
    const body = await pushBody();
    const socket = await beginPush();
    socket.pause();
    sendChunk(socket, body);
    socket.write("0\r\n\r\n");
    await until("the branch is there", async () => (await target.refs())[MAIN] === head);
    socket.destroy();
    await alive();
  });
});
