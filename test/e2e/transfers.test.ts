import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alternativeNames, ensureServerCertificates, registryHostName } from "../../lab/host/certificates.ts";
import { clientFiles } from "../../lab/host/client-files.ts";
import { writeLayout } from "../../lab/images/oci-content.ts";
import { addressesOf } from "../../lab/machine/instances.ts";
import { image } from "../support/images/oci-content.ts";
import { isInFull, testInFull } from "../support/in-full.ts";
import { noDrift, up } from "../support/lab/expected.ts";
import { removeRepositories } from "../support/lab/private-registry.ts";
import { containers, instance, pulumi, setSecret, setText, touched } from "../support/lab/stack.ts";
import { describeTransfers, startTransfers } from "../support/lab/transfers.ts";

const set = (path: string, value: string) => pulumi("config", "set", "--path", `regwarden:${path}`, value);
const get = (key: string) => pulumi("config", "get", `regwarden:${key}`);

/** Transfers while the program is applied: failures by kind, and which containers were made or started anew. */
async function during(what: string): Promise<{ failures: Record<string, number>; restarted: string[] }> {
  const before = await containers();
  const transfers = await startTransfers();
  await up();
  const failures = await transfers.stop();
  console.info(describeTransfers(what, transfers));
  return { failures, restarted: touched(before, await containers()) };
}

/** Each change in an update of its own, which takes minutes more, or all that may be together in one. */

const none = { pull: 0, push: 0, dockerhub: 0, ghcr: 0, quay: 0, k8s: 0, kyverno: 0 };

describe("transfers through nginx", () => {
  const { authFile, certificateDirectory, registry } = clientFiles(instance);
  const authorityFile = join(certificateDirectory, "ca.crt");
  const large = image(randomBytes(18 * 2 ** 20).toString("base64"), "linux/amd64");
  const layer = large.parts.at(-1);
  let scratch: string;
  let original: { authority: string; certificate: string; privateKey: string };
  let renewed: Awaited<ReturnType<typeof ensureServerCertificates>>;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), "regwarden-e2e-transfers-"));
    await writeLayout(join(scratch, "large"), large, "image");
    const flags = ["--dest-authfile", authFile, "--dest-cert-dir", certificateDirectory];
    await execa("skopeo", [
      "copy",
      "--preserve-digests",
      ...flags,
      `oci:${scratch}/large:image`,
      `docker://${registry}/transfers/large:1`,
    ]);
    original = {
      authority: await get("tlsAuthority"),
      certificate: await get("tlsCertificate"),
      privateKey: await get("tlsPrivateKey"),
    };
    // An authority of its own has signed it: clients know both before anything is renewed, as they would any authority.
    const names = alternativeNames(addressesOf(instance));
    renewed = await ensureServerCertificates(join(scratch, "tls"), registryHostName, names);
    const both = `${original.authority.trim()}\n${renewed.authority}`;
    await writeFile(authorityFile, both);
    await setText("tlsAuthority", both);
    await up();
  });
  afterAll(async () => {
    for (const { undo } of Object.values(changes)) await undo();
    await pulumi("config", "rm", "regwarden:limits");
    await writeFile(authorityFile, original.authority);
    await setText("tlsAuthority", original.authority);
    await setSecret("tlsCertificate", original.certificate);
    await setSecret("tlsPrivateKey", original.privateKey);
    await up();
    await noDrift();
    // Hundreds of manifests that lost their tag: the other tests' collections are about images of their own.
    await removeRepositories("transfers");
    await rm(scratch, { recursive: true });
  });

  /** Downloads the large layer at a pace that takes longer than an update; gives its digest. */
  async function downloadSlowly(): Promise<string> {
    const { auths } = JSON.parse(await readFile(authFile, "utf8"));
    const account = Buffer.from(auths[registry].auth, "base64").toString();
    const url = `https://${registry}/v2/transfers/large/blobs/${layer?.descriptor.digest}`;
    const file = join(scratch, "downloaded");
    const flags = [
      "--silent",
      "--show-error",
      "--fail",
      "--limit-rate",
      "700k",
      "--cacert",
      authorityFile,
      "--output",
      file,
    ];
    await execa("curl", [...flags, "--config", "-", url], { input: `user = "${account}"` });
    return `sha256:${createHash("sha256")
      .update(await readFile(file))
      .digest("hex")}`;
  }

  const quayChange = {
    make: async () => {
      await set("caches[2].username", "reader");
      await pulumi("config", "set", "--secret", "--path", "regwarden:cachePasswords.quay", "a password");
    },
    undo: async () => {
      await pulumi("config", "rm", "--path", "regwarden:caches[2].username");
      await pulumi("config", "rm", "regwarden:cachePasswords");
    },
  };
  const changes = {
    "the certificate": {
      make: async () => {
        await setSecret("tlsCertificate", renewed.chain);
        await setSecret("tlsPrivateKey", renewed.privateKey);
      },
      undo: async () => {},
    },
    "nginx.conf": {
      make: () => set("blobCache.size", "2Gi"),
      undo: () => pulumi("config", "rm", "regwarden:blobCache"),
    },
    "the cache quay": quayChange,
  };

  /** Makes changes in one update; transfers through what they touch may fail, others may not. */
  async function update(names: readonly (keyof typeof changes)[]): Promise<void> {
    for (const name of names) await changes[name].make();
    const { failures, restarted } = await during(`a change of ${names.join(", ")}`);
    const isRestarted = names.includes("the cache quay");
    expect({ ...failures, ...(isRestarted && { quay: 0 }) }).toEqual(none);
    expect(restarted).toEqual(isRestarted ? ["registry-quay"] : []);
  }

  const names = Object.keys(changes) as (keyof typeof changes)[];
  const updates = (isInFull ? names.map((name) => [name]) : [names]).map((together) => ({
    together,
    what: together.join(", "),
  }));
  test.each(updates)("do not fail while these change: $what", async ({ together }) => {
    const download = downloadSlowly();
    await update(together);
    if (together.includes("the certificate"))
      expect(await servedAuthority()).toContain(renewed.chain.trim().split("\n")[1]);
    expect(await download).toBe(layer?.descriptor.digest);
  });

  testInFull(
    "of no other kind fail while the password changes, and all answers are those of the old or the new one",
    async () => {
      const password = await get("registryPassword");
      await setSecret("registryPassword", "another password");
      const before = await containers();
      const answers = countAnswers({ old: password, new: "another password" });
      const transfers = await startTransfers();
      await up();
      const count = await answers.stop();
      console.info(`answers during the rotation of the password: ${JSON.stringify(count)}`);
      expect(Object.keys(count).sort()).toEqual(["new 200", "new 401", "old 200", "old 401"]);
      await setSecret("registryPassword", password);
      await up();
      const { pull, push, ...caches } = await transfers.stop();
      console.info(describeTransfers("two rotations of the password, with the first one", transfers));
      expect(caches).toEqual({ dockerhub: 0, ghcr: 0, quay: 0, k8s: 0, kyverno: 0 });
      expect(touched(before, await containers())).toEqual([]);
    },
  );

  testInFull("go on after all registries changed", async () => {
    await set("limits.registry.memory", "900Mi");
    const { restarted } = await during("a change of all registries");
    expect(restarted).toContain("registry-private");
    expect(restarted).not.toContain("registry-nginx");
    expect(await transfersFail()).toEqual(none);
  });

  async function transfersFail(): Promise<Record<string, number>> {
    return (await startTransfers()).stop();
  }

  async function servedAuthority(): Promise<string> {
    const { stdout } = await execa(
      "openssl",
      ["s_client", "-connect", registry, "-servername", registryHostName, "-showcerts"],
      { input: "" },
    );
    return stdout;
  }

  /** Asks the private registry with each password, again and again; counts the answers as `NAME STATUS`. */
  function countAnswers(passwords: Readonly<Record<string, string>>) {
    const count: Record<string, number> = {};
    let isStopped = false;
    const loop = (async () => {
      const ca = await readFile(authorityFile);
      while (!isStopped) {
        for (const [name, password] of Object.entries(passwords)) {
          const answer = `${name} ${await statusWith(password, ca)}`;
          count[answer] = (count[answer] ?? 0) + 1;
        }
      }
    })();
    const stop = async () => {
      isStopped = true;
      await loop;
      return count;
    };
    return { stop };
  }

  function statusWith(password: string, ca: Buffer): Promise<string> {
    const options = { ca, agent: false, auth: `ci:${password}`, servername: registryHostName };
    return new Promise((resolve) => {
      const sent = request(`https://${registry}/v2/`, options, (answer) => {
        answer.resume().on("end", () => resolve(String(answer.statusCode)));
      });
      sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
    });
  }
});
