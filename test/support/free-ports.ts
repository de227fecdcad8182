// Ports for servers that are started as processes of their own and have to be told where to listen.
import { createServer } from "node:net";

/**
 * Below the ports that a kernel gives by itself (Linux: 32768 and above), which it may give to any connection between
 * the look here and the start of the server, and above those that programs have by custom.
 */
const FIRST_PORT = 10_240;
const PORTS_OF_A_PROCESS = 32;
/** 704 processes until two with different pids share their ports. */
const PROCESSES = (32_768 - FIRST_PORT) / PORTS_OF_A_PROCESS;

let given = 0;

/**
 * Ports of 127.0.0.1 that nobody listens on, and that nobody else who asks here is given: test files run beside each
 * other, each in a process of its own, and each process has ports of its own. They come again after 32.
 */
export async function freePorts(count: 1): Promise<[number]>;
export async function freePorts(count: 3): Promise<[number, number, number]>;
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  for (let tries = 0; ports.length < count; tries++) {
    if (tries === PORTS_OF_A_PROCESS) throw new Error(`every port from ${firstOfThisProcess()} on is taken`);
    const port = firstOfThisProcess() + (given++ % PORTS_OF_A_PROCESS);
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

function firstOfThisProcess(): number {
  return FIRST_PORT + (process.pid % PROCESSES) * PORTS_OF_A_PROCESS;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
