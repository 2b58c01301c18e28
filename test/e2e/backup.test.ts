import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { units } from "../../contract/host-names.ts";
import { backupCompleteFile } from "../../contract/host-paths.ts";
import { clientFiles } from "../../lab/host/client-files.ts";
import { hostOf } from "../../lab/host/host.ts";
import { ciImageReference, pushCiImage } from "../../lab/images/sample-images.ts";
import { ensurePackages } from "../../lab/machine/packages.ts";
import { documents } from "../support/documents/markdown.ts";
import { noDrift, up } from "../support/lab/expected.ts";
import { becomesHealthy, privateStore } from "../support/lab/private-registry.ts";
import { instance, onHost, pulumi } from "../support/lab/stack.ts";
import { type RsyncHost, startRsyncHost } from "../support/server/rsync-host.ts";

/** The store of the lab's registry, copied to this machine, lost and restored by the commands of docs/backup-and-restore.md. */

const scratch = mkdtempSync(join(tmpdir(), "regwarden-e2e-backup-"));
const copies = join(scratch, "copies");
const { authFile, certificateDirectory, registry } = clientFiles(instance);
/** All of the CI image, as its pipelines pull it. */
const pull = () =>
  execa("skopeo", [
    ...["copy", "--all", "--src-authfile", authFile, "--src-cert-dir", certificateDirectory],
    ...[`docker://${registry}/${ciImageReference}`, `dir:${join(scratch, "pulled")}`],
  ]);
/** Path, mode, owner and digest of every file of the store, but uploads and which digests a tag had: no copy has those. */
const files = () =>
  onHost(
    `cd ${privateStore}/docker && find . \\( -path '*/_uploads/*' -o -path '*/_manifests/tags/*/index/*' \\) -prune ` +
      "-o -type f -exec stat -c '%n %a %U' {} + -exec sha256sum {} + | sort",
  );
let other: RsyncHost;
let isDeclared = false;

/** The block of the document's part on restoring that has these words. */
function restoring(words: string): string {
  const blocks = documents().find(({ file }) => file === "docs/backup-and-restore.md")?.blocks ?? [];
  const block = blocks.find(({ text }) => text.includes(words));
  if (block === undefined) throw new Error(`docs/backup-and-restore.md has no shell block with "${words}"`);
  return block.text;
}

/** How the other machine reaches the VM as root. */
async function sshConfiguration(): Promise<string> {
  const host = await hostOf(instance);
  if (host === undefined) throw new Error("there is no host");
  const file = join(scratch, "ssh-config");
  const known = `UserKnownHostsFile ${clientFiles(instance).knownHostsFile}\n  StrictHostKeyChecking yes`;
  writeFileSync(
    file,
    `Host VM\n  HostName ${host.address}\n  Port ${host.sshPort}\n  IdentityFile ${host.privateKeyFile}\n  ${known}\n`,
  );
  return file;
}

beforeAll(async () => {
  await ensurePackages({}, ["rsync", "ssh"]);
  mkdirSync(copies);
  await pushCiImage(instance);
  const gateway = (await onHost("ip route show default | cut -d' ' -f3")).trim();
  other = await startRsyncHost(gateway);
  const machine = { address: gateway, sshPort: other.port, hostKey: other.hostKey, directory: copies };
  await pulumi("config", "set", "regwarden:backup", JSON.stringify(machine));
  isDeclared = true;
  await up();
});
afterAll(async () => {
  if (isDeclared) {
    await pulumi("config", "rm", "regwarden:backup");
    await up();
  }
  // The ledger was that of the store before: the next collection needs one of this.
  await onHost(`rm -rf ${privateStore}/docker.damaged && systemctl start ${units.mark}`);
  await other?.stop();
  await rm(scratch, { recursive: true, force: true });
});

describe("a copy of the lab's store on another machine", () => {
  test("is made by the unit once that machine knows the key, which the unit's log shows", async () => {
    const said = await onHost(
      `systemctl start ${units.backup}; journalctl --unit ${units.backup} --lines 5 --no-pager --output cat`,
    ).catch((error: Error) => error.message);
    const [key] = /^ssh-ed25519 AAAA\S+ regwarden-backup@\S*$/m.exec(said) ?? [];
    expect(said).toContain("Does the account there know this key?");
    expect(await readdir(copies)).toEqual([]);
    other.authorize(key ?? "");
    await onHost(`systemctl start ${units.backup}`);
    const [copy = ""] = await readdir(copies);
    expect(await readdir(join(copies, copy))).toContain(backupCompleteFile);
  });

  test("brings the lost store back byte for byte, by the commands of its document", async () => {
    const [copy = ""] = await readdir(copies);
    const before = await files();
    await onHost(restoring("docker stop registry-private"));
    await expect(pull()).rejects.toThrow();

    const command = restoring("rsync --recursive")
      .replaceAll("/srv/registry-backup", copies)
      .replaceAll("COPY", copy);
    await execa("bash", ["-euc", command], {
      env: { RSYNC_RSH: `ssh -F ${await sshConfiguration()}` },
    });
    await onHost(`set -e\n${restoring("docker start registry-private")}`);
    await becomesHealthy();
    expect(await files()).toBe(before);
    await pull();
    await up();
    expect(await onHost(`systemctl is-active ${units.scanTimer}`)).toBe("active");
    await noDrift();
  });
});
