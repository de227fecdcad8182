// A certificate authority for tests and a server certificate of it, made by openssl in a folder that is gone afterwards.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type TestCertificate = { readonly caPem: string; readonly cert: string; readonly key: string };

/** @param subjects subjectAltName entries, for example `DNS:git.test` or `IP:127.0.0.1`. */
export function createTestCertificate(subjects: readonly string[]): TestCertificate {
  const folder = mkdtempSync(join(tmpdir(), "coregit-certificate-"));
  const openssl = (...args: string[]): void => {
    execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  };
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  try {
    openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=Coregit test CA");
    openssl("req", "-new", ...newKey, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=Coregit test server");
    writeFileSync(join(folder, "extensions"), `subjectAltName=${subjects.join(",")}\n`);
    const authority = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial"];
    openssl("x509", "-req", "-in", "server.csr", ...authority, "-out", "server.crt", "-days", "2", "-extfile", "extensions");
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    return { caPem: read("ca.crt"), cert: read("server.crt"), key: read("server.key") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
