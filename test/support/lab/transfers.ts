import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pace } from "node:timers/promises";
import { promisify } from "node:util";
import { clientFiles } from "../../../lab/host/client-files.ts";
import { writeLayout } from "../../../lab/images/oci-content.ts";
import { addressesOf, ports } from "../../../lab/machine/instances.ts";
import { waitUntil } from "../../../lab/machine/wait.ts";
import { image } from "../images/oci-content.ts";
import { instance } from "./stack.ts";

/** What became of the transfers of one kind. */
interface Count {
  done: number;
  readonly failures: string[];
}

/** Transfers that are repeated, each kind beside the others, until they are stopped. */
export interface Transfers {
  /** By kind: `pull`, `push`, and the name of each cache. */
  readonly counts: Readonly<Record<string, Count>>;
  /** Waits until each kind was done once more, then stops; gives the number of failures by kind. */
  readonly stop: () => Promise<Record<string, number>>;
}

const cachePorts = {
  dockerhub: ports.dockerhub,
  ghcr: ports.ghcr,
  quay: ports.quay,
  k8s: ports.k8s,
  kyverno: ports.kyverno,
};

type CacheName = keyof typeof cachePorts;

let round = 0;

/** Starts pulls and pushes of images in the private registry by a real client, and manifests from these caches. */
export async function startTransfers(
  caches: readonly CacheName[] = Object.keys(cachePorts) as CacheName[],
): Promise<Transfers> {
  const scratch = await mkdtemp(join(tmpdir(), "regwarden-transfers-"));
  const kinds = { pull: () => pull(scratch), push: () => push(scratch), ...cacheTransfers(caches) };
  const counts: Record<string, Count> = {};
  let isStopped = false;
  const loops = Object.entries(kinds).map(async ([kind, transfer]) => {
    const count: Count = { done: 0, failures: [] };
    counts[kind] = count;
    while (!isStopped) {
      await transfer().then(
        () => count.done++,
        (error: unknown) => count.failures.push(error instanceof Error ? error.message : String(error)),
      );
      // Without a pause the clients take the processors from what they are to go on beside.
      await pace(kind === "pull" || kind === "push" ? 400 : 100);
    }
  });
  const once = () => {
    const before = Object.fromEntries(Object.entries(counts).map(([kind, { done }]) => [kind, done]));
    return waitUntil("a transfer of each kind", 60, async () =>
      Object.entries(counts).every(([kind, { done }]) => done > (before[kind] ?? 0)),
    );
  };
  await once();
  const stop = async () => {
    await once();
    isStopped = true;
    await Promise.all(loops);
    await rm(scratch, { recursive: true, force: true });
    return Object.fromEntries(Object.entries(counts).map(([kind, { failures }]) => [kind, failures.length]));
  };
  return { counts, stop };
}

/** One line a kind, for people. */
export function describeTransfers(what: string, { counts }: Transfers): string {
  const lines = Object.entries(counts).map(([kind, { done, failures }]) => {
    const first = failures[0] === undefined ? "" : `, the first: ${failures[0].trim().split("\n").at(-1)}`;
    return `  ${kind}: ${done} done, ${failures.length} failed${first}`;
  });
  return [`transfers during ${what}:`, ...lines].join("\n");
}

function cacheTransfers(caches: readonly CacheName[]): Record<string, () => Promise<void>> {
  const entries = caches.map((name) => [name, () => manifestFrom(cachePorts[name])]);
  return Object.fromEntries(entries);
}

// A connection of its own each time, as a client that starts has.
function manifestFrom(port: number): Promise<void> {
  const headers = {
    accept: "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json",
  };
  const url = `http://${addressesOf(instance).address}:${port}/v2/library/hello/manifests/1.0`;
  return new Promise((resolve, reject) => {
    get(url, { headers, agent: false }, async (answer) => {
      let bytes = 0;
      for await (const chunk of answer) bytes += (chunk as Buffer).length;
      if (answer.statusCode === 200 && bytes > 0) resolve();
      else reject(new Error(`${url} answers ${answer.statusCode} with ${bytes} bytes`));
    }).on("error", reject);
  });
}

const copy = async (...args: readonly string[]): Promise<void> => {
  // A client that tries again would hide what is counted.
  await promisify(execFile)("skopeo", ["copy", "--all", "--quiet", "--retry-times", "0", ...args], {
    timeout: 60_000,
  });
};

async function pull(scratch: string): Promise<void> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const target = await mkdtemp(join(scratch, "pull-"));
  const flags = ["--src-authfile", authFile, "--src-cert-dir", certificateDirectory];
  await copy(...flags, `docker://${registry}/infra-ci:latest`, `dir:${target}`).finally(() =>
    rm(target, { recursive: true }),
  );
}

async function push(scratch: string): Promise<void> {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const source = await mkdtemp(join(scratch, "push-"));
  await writeLayout(source, image(`transfer ${process.pid} ${round++}`, "linux/amd64"), "image");
  const flags = ["--dest-authfile", authFile, "--dest-cert-dir", certificateDirectory];
  await copy(...flags, `oci:${source}:image`, `docker://${registry}/transfers/pushed:latest`).finally(() =>
    rm(source, { recursive: true }),
  );
}
