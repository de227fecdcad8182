// A real etcd and kube-apiserver on loopback, for one test run. No scheduler, no kubelet, and no controllers but for who asks: objects
// are stored, validated, watched and authorised, nothing acts on them.
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { controllerManagerProgram, controlPlanePrograms } from "./control-plane-build.ts";
import { freePorts } from "./free-ports.ts";
import { type RunningProgram, startProgram } from "./running-program.ts";
import { keepSaid, keepsEvidence, knowSecret } from "./secrets/evidence.ts";

export type ControlPlane = AsyncDisposable & {
  /** Of a user in system:masters. */
  readonly kubeconfig: string;
  readonly kubectl: string;
  /** The calls of service accounts, and all that write resources of Coregit or Events; one JSON document a line, each written before it is answered. */
  readonly auditLog: string;
};

const WRITTEN = [
  { group: "", resources: ["events"] },
  { group: "events.k8s.io", resources: ["events"] },
  { group: "coregit.dev", resources: ["*", "*/*"] },
];

/** What is written to statuses, resources and Events, by whomever; else nothing of the tests' own calls, which are most. */
const AUDIT_POLICY = {
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [
    { level: "Request", verbs: ["create", "update", "patch"], resources: WRITTEN },
    { level: "Metadata", userGroups: ["system:serviceaccounts"] },
    { level: "None" },
  ],
};

const READY_DEADLINE_MS = 90_000;
const READY_POLL_MS = 100;

export type ControlPlaneOptions = {
  /**
   * Runs kube-controller-manager too: namespaces that are deleted go, so does what belongs to nobody, accounts are made, and Jobs,
   * Deployments and StatefulSets make pods, which need an account as in a cluster.
   */
  readonly controllers?: boolean;
};

/** @throws Error with the tail of the logs when the API server does not become ready. */
export async function startControlPlane(
  say: (line: string) => void,
  { controllers = false }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const manager = controllers ? await controllerManagerProgram(say) : null;
  const programs = await controlPlanePrograms(say);
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "coregit-control-plane-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [clientPort, peerPort, apiPort] = await freePorts(3);
  const token = randomBytes(24).toString("hex");
  knowSecret("the token of the API server's user", token);
  const servers = { programs, folder, etcdUrl: `http://127.0.0.1:${clientPort}`, apiPort, token };
  const auditLog = join(folder, "audit.log");
  stack.defer(async () => {
    if (keepsEvidence()) keepSaid("what was written to the API server", await readFile(auditLog, "utf8").catch(() => ""));
  });
  stack.use(startEtcd(servers, `http://127.0.0.1:${peerPort}`));
  const apiserver = stack.use(await startApiServer(servers, controllers));
  await untilReady(apiserver, servers);
  const kubeconfig = await writeKubeconfig(servers);
  if (manager !== null) stack.use(startControllers(manager, servers, kubeconfig));
  const owned = stack.move();
  return {
    kubeconfig,
    kubectl: join(programs, "kubectl"),
    auditLog,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

type Servers = {
  readonly programs: string;
  readonly folder: string;
  readonly etcdUrl: string;
  readonly apiPort: number;
  readonly token: string;
};

function startEtcd({ programs, folder, etcdUrl }: Servers, peerUrl: string): AsyncDisposable {
  return startProgram(join(programs, "etcd"), {
    logPath: join(folder, "etcd.log"),
    args: [
      `--data-dir=${join(folder, "etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--unsafe-no-fsync",
      "--log-level=warn",
    ],
  });
}

async function startApiServer(servers: Servers, hasAccounts: boolean): Promise<RunningProgram> {
  const { programs, folder, etcdUrl, apiPort, token } = servers;
  const { privateKey, publicKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
  await writeFile(join(folder, "sa.key"), privateKey, { mode: 0o600 });
  await writeFile(join(folder, "sa.pub"), publicKey);
  await writeFile(join(folder, "tokens.csv"), `${token},test-admin,test-admin,system:masters\n`, { mode: 0o600 });
  await writeFile(join(folder, "audit-policy.yaml"), JSON.stringify(AUDIT_POLICY));
  await mkdir(join(folder, "certs"));
  return startProgram(join(programs, "kube-apiserver"), {
    logPath: join(folder, "kube-apiserver.log"),
    args: [
      `--etcd-servers=${etcdUrl}`,
      `--cert-dir=${join(folder, "certs")}`,
      "--bind-address=127.0.0.1",
      `--secure-port=${apiPort}`,
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${join(folder, "sa.pub")}`,
      `--service-account-signing-key-file=${join(folder, "sa.key")}`,
      `--token-auth-file=${join(folder, "tokens.csv")}`,
      "--authorization-mode=RBAC",
      ...(hasAccounts ? [] : ["--disable-admission-plugins=ServiceAccount"]),
      "--endpoint-reconciler-type=none",
      `--audit-policy-file=${join(folder, "audit-policy.yaml")}`,
      `--audit-log-path=${join(folder, "audit.log")}`,
      "--v=0",
    ],
  });
}

/** Of all controllers those that act without nodes. */
const CONTROLLERS = [
  "deployment-controller",
  "garbage-collector-controller",
  "job-controller",
  "namespace-controller",
  "replicaset-controller",
  "root-ca-certificate-publisher-controller",
  "serviceaccount-controller",
  "serviceaccount-token-controller",
  "statefulset-controller",
];

function startControllers(program: string, { folder }: Servers, kubeconfig: string): AsyncDisposable {
  return startProgram(program, {
    logPath: join(folder, "kube-controller-manager.log"),
    args: [
      `--kubeconfig=${kubeconfig}`,
      `--controllers=${CONTROLLERS.join(",")}`,
      `--service-account-private-key-file=${join(folder, "sa.key")}`,
      `--root-ca-file=${join(folder, "certs", "apiserver.crt")}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--v=0",
    ],
  });
}

async function untilReady(apiserver: RunningProgram, { folder, apiPort, token }: Servers): Promise<void> {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline && apiserver.child.exitCode === null) {
    if (await isReady(folder, apiPort, token)) return;
    await delay(READY_POLL_MS);
  }
  const logs = await Promise.all(
    ["etcd.log", "kube-apiserver.log"].map((name) => readFile(join(folder, name), "utf8").catch(() => "")),
  );
  throw new Error(`the API server did not become ready:\n${logs.map((text) => text.slice(-3000)).join("\n---\n")}`);
}

/** Trusts the certificate that the server made for itself. */
async function isReady(folder: string, port: number, token: string): Promise<boolean> {
  const ca = await readFile(join(folder, "certs", "apiserver.crt")).catch(() => null);
  if (ca === null) return false;
  return new Promise((resolve) => {
    const options = {
      host: "127.0.0.1",
      port,
      path: "/readyz",
      ca,
      headers: { authorization: `Bearer ${token}` },
      timeout: 2000,
      agent: false,
    };
    const asked = request(options, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(false));
    asked.end();
  });
}

async function writeKubeconfig({ folder, apiPort, token }: Servers): Promise<string> {
  const ca = await readFile(join(folder, "certs", "apiserver.crt"));
  const path = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "test",
    clusters: [
      { name: "test", cluster: { server: `https://127.0.0.1:${apiPort}`, "certificate-authority-data": ca.toString("base64") } },
    ],
    users: [{ name: "test", user: { token } }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "default" } }],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
