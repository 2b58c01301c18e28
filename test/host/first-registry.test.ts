import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { dump, load } from "js-yaml";
import { afterAll, beforeAll, expect, test } from "vitest";
import { removeInstance } from "../../lab/commands/down.ts";
import { type Certificates, ensureCertificates, registryHostName } from "../../lab/host/certificates.ts";
import { clientFiles, ensureAccount, writeClientFiles } from "../../lab/host/client-files.ts";
import { ensureHost } from "../../lab/host/host.ts";
import { writeLayout } from "../../lab/images/oci-content.ts";
import { ensureEngine } from "../../lab/machine/docker-engine.ts";
import { duration } from "../../lab/machine/screen.ts";
import { ensurePulumi } from "../../lab/machine/tools/pulumi.ts";
import { configureStack } from "../../lab/stack/configure-stack.ts";
import { deploy } from "../../lab/stack/deployment.ts";
import { stackFile } from "../../lab/stack/environment.ts";
import { documents } from "../support/documents/markdown.ts";
import { image } from "../support/images/oci-content.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

const instance = "test";

interface MinimalConfig {
  readonly "regwarden:host": Record<string, unknown> & {
    readonly tls: { readonly certificate: string; readonly privateKey: string };
  };
  readonly "regwarden:registry": { readonly hostname: string };
}

/** The configuration that the README promises to be enough. */
function readmeBlock(): string {
  const blocks = documents().find(({ file }) => file === "README.md")?.blocks ?? [];
  return blocks.find(({ language }) => language === "yaml")?.text ?? "";
}

let host: TestHost;
let certificates: Certificates;
let scratch: string;
let agent: string;

/** No stack was ever here. */
async function bareHost(): Promise<TestHost> {
  await removeInstance(instance, false);
  await ensureEngine();
  await ensureHost(instance);
  return testHost({ images: true });
}

/** An SSH agent that has the host's key; returns its process. */
async function startAgent(socket: string): Promise<string> {
  const { stdout } = await execa("ssh-agent", ["-a", socket]);
  process.env.SSH_AUTH_SOCK = socket;
  await execa("ssh-add", ["-q", host.lab.privateKeyFile]);
  return /SSH_AGENT_PID=(\d+)/.exec(stdout)?.[1] ?? "";
}

async function putOnHost(path: string, text: string): Promise<void> {
  const content = Buffer.from(text).toString("base64");
  await host.sh(
    `mkdir -p $(dirname ${path}) && umask 077 && printf %s ${content} | base64 --decode >${path}`,
  );
}

beforeAll(async () => {
  await ensurePulumi();
  host = await bareHost();
  certificates = await ensureCertificates(instance);
  scratch = await mkdtemp(join(tmpdir(), "regwarden-first-"));
  agent = await startAgent(join(scratch, "agent.socket"));
}, 900_000);
afterAll(async () => {
  if (agent) process.kill(Number(agent));
  await rm(scratch, { recursive: true, force: true });
  // Other tests want a host as bare as this one did.
  await removeInstance(instance, false);
  await ensureEngine();
  await ensureHost(instance);
}, 300_000);

test("the configuration of the README, below ten lines, makes a registry on a bare host that takes a push and gives it back", async () => {
  const block = readmeBlock();
  expect(block.trim().split("\n").length).toBeLessThan(10);
  const { config } = load(block) as { config: MinimalConfig };
  const { tls } = config["regwarden:host"];
  await putOnHost(tls.certificate, certificates.chain);
  await putOnHost(tls.privateKey, certificates.privateKey);
  const { address, sshPort, hostKey } = host.lab;
  const own = {
    ...config,
    "regwarden:host": { ...config["regwarden:host"], address, sshPort, hostKey },
    "regwarden:registry": { hostname: registryHostName },
    // Of the test's certificate; a public one needs none.
    "regwarden:tlsAuthority": certificates.authority,
  };
  const start = performance.now();
  await writeFile(stackFile(instance), dump({ config: own }));
  const account = ensureAccount(instance);
  await configureStack(instance, {
    registryUser: { value: account.user, secret: true },
    registryPassword: { value: account.password, secret: true },
  });
  await deploy(instance);
  console.info(`from a bare host to its registry: ${duration((performance.now() - start) / 1000)}`);

  const files = writeClientFiles(instance, account, certificates.authority, host.lab);
  const layout = join(scratch, "layout");
  await writeLayout(layout, image("first", "linux/amd64"), "1");
  const flags = ["--authfile", files.authFile];
  const remote = `docker://${clientFiles(instance).registry}/first:1`;
  await execa("skopeo", [
    "copy",
    ...flags,
    "--dest-cert-dir",
    files.certificateDirectory,
    `oci:${layout}:1`,
    remote,
  ]);
  const pulled = `dir:${join(scratch, "pulled")}`;
  await execa("skopeo", ["copy", ...flags, "--src-cert-dir", files.certificateDirectory, remote, pulled]);
  expect(await host.sh("regwarden scan /opt/registry/data")).toContain("No findings");
}, 900_000);
