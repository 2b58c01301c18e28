import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureCertificates, registryHostName } from "../../lab/host/certificates.ts";
import { ensureAccount } from "../../lab/host/client-files.ts";
import { hostOf } from "../../lab/host/host.ts";
import { pushCiImage } from "../../lab/images/sample-images.ts";
import { upstreamUrl } from "../../lab/images/upstream.ts";
import { stackFile } from "../../lab/stack/environment.ts";
import { formerStateCommand, layOutFormerVm } from "../support/former-vm/lay-out.ts";
import { engineEnds, expectCode, labEnds, noDrift, up } from "../support/lab/expected.ts";
import { becomesHealthy, removeRepositories } from "../support/lab/private-registry.ts";
import { adopt, containers, instance, onHost, touched } from "../support/lab/stack.ts";
import { describeTransfers, startTransfers } from "../support/lab/transfers.ts";

const scratch = mkdtempSync(join(tmpdir(), "regwarden-e2e-adopt-"));
const crontab = "/var/spool/cron/crontabs/root";
const disabledLines = () => onHost(`grep -c '^#regwarden-disabled: ' ${crontab} || true`);
let configuration: string;
let formerState: string;

async function connection(): Promise<string[]> {
  const host = await hostOf(instance);
  if (!host) throw new Error("there is no host");
  const { address, sshPort, hostKey, privateKeyFile } = host;
  return ["--host", `root@${address}:${sshPort}`, "--identity", privateKeyFile, "--host-key", hostKey];
}

/** Takes the stack off the host with all that it keeps there, as if there had never been one. */
async function emptyHost(): Promise<void> {
  await engineEnds(0, "destroy", "--yes", "--only", "host");
  await onHost(`docker ps --all --quiet | xargs -r docker rm --force >/dev/null
docker volume ls --quiet | xargs -r docker volume rm --force >/dev/null
docker network rm registry_registry >/dev/null 2>&1 || true
rm -rf /opt/registry /etc/regwarden /var/lib/regwarden /var/backups/regwarden ${crontab}`);
}

/** The stack's configuration as `adopt` wrote it, with the secrets of the lab and its cluster. */
function takeConfiguration(written: string): void {
  const { config, ...rest } = load(configuration) as { config: Record<string, unknown> };
  const isSecret = (value: unknown) => typeof value === "object" && value !== null && "secure" in value;
  const kept = Object.entries(config).filter(
    ([key, value]) => isSecret(value) || /:(cluster|tlsAuthority|secretsSource)$/.test(key),
  );
  const { config: own } = load(readFileSync(written, "utf8")) as { config: Record<string, unknown> };
  writeFileSync(stackFile(instance), dump({ ...rest, config: { ...Object.fromEntries(kept), ...own } }));
}

beforeAll(async () => {
  configuration = readFileSync(stackFile(instance), "utf8");
  await emptyHost();
  const { chain, privateKey } = await ensureCertificates(instance);
  const { user, password } = ensureAccount(instance);
  const sh = async (command: string, input = "") => {
    const host = await hostOf(instance);
    const { exitCode = -1, stdout = "", stderr = "" } = (await host?.exec(command, { input })) ?? {};
    if (exitCode !== 0) throw new Error(`${command}: exit ${exitCode}: ${stderr}`);
    return stdout;
  };
  await layOutFormerVm(sh, {
    hostname: registryHostName,
    remoteUrl: upstreamUrl(instance),
    user,
    userPassword: password,
    certificate: chain,
    privateKey,
  });
  await becomesHealthy();
  await pushCiImage(instance);
  formerState = await onHost(formerStateCommand);
});
afterAll(async () => {
  writeFileSync(stackFile(instance), configuration);
  await onHost(
    `cd /opt/registry && rm -f ${crontab} cleanup-tags.sh fix-broken-blobs.sh htpasswd nginx.conf; docker ps --all --quiet --filter name=.displaced- | xargs -r docker rm --force`,
  );
  await labEnds(0, "up");
  // What was pushed over and over would put the next collection over its budget.
  await removeRepositories("transfers");
});

describe("a VM that the former deployment laid out", { timeout: 1_800_000 }, () => {
  test("is read into a configuration; the preview imports what is there and names what it changes", async () => {
    const out = join(scratch, `Pulumi.${instance}.yaml`);
    const before = await containers();
    const { output, ...read } = await adopt(...(await connection()), "--out", out);
    expectCode({ output, ...read }, 0);
    expect(readFileSync(out, "utf8")).toContain(`hostname: ${registryHostName}`);
    expect(output).toMatch(/^ {2}= \d+ imported as it is$/m);
    expect(output).toMatch(/^ {6}Directory registry-directories-data-ghcr$/m);
    expect(output).toMatch(/^ {6}ComposeProject registry-services-compose: .*registry-private.*revision/m);
    expect(touched(before, await containers())).toEqual([]);
    expect(await onHost(formerStateCommand)).toBe(formerState);
    takeConfiguration(out);
  });

  test("becomes the stack's while clients pull and push; the former jobs are off when all timers have run", async () => {
    const transfers = await startTransfers(["dockerhub", "ghcr"]);
    const start = Date.now();
    await up();
    const seconds = Math.round((Date.now() - start) / 1000);
    const failures = await transfers.stop();
    console.info(`adopted in ${seconds} s\n${describeTransfers("the first update", transfers)}`);
    expect(failures).toMatchObject({ pull: 0, dockerhub: 0, ghcr: 0 });
    expect(await disabledLines()).toBe("9");
    for (const part of ["scan", "retain", "mark", "collect"]) {
      expect(await onHost(`systemctl is-active regwarden-${part}.timer`)).toBe("active");
      const ended = `systemctl show --property ExecMainExitTimestamp --value regwarden-${part}.service`;
      expect(await onHost(ended), part).not.toBe("");
    }
    const { findings } = JSON.parse(await onHost("cat /var/lib/regwarden/scan.json"));
    expect(findings).toEqual([]);
    await noDrift();
    const all = await startTransfers();
    expect(await all.stop()).toEqual({
      pull: 0,
      push: 0,
      dockerhub: 0,
      ghcr: 0,
      quay: 0,
      k8s: 0,
      kyverno: 0,
    });
  });

  test("goes back to what it was by one command, byte for byte, with its jobs", async () => {
    const plan = await adopt(...(await connection()), "--revert");
    expectCode(plan, 1);
    expect(await disabledLines()).toBe("9");
    const start = Date.now();
    expectCode(await adopt(...(await connection()), "--revert", "--apply"), 0);
    console.info(`back in ${Math.round((Date.now() - start) / 1000)} s`);
    expect(await onHost(formerStateCommand)).toBe(formerState);
    const transfers = await startTransfers(["dockerhub", "ghcr"]);
    expect(await transfers.stop()).toEqual({ pull: 0, push: 0, dockerhub: 0, ghcr: 0 });
  });
});
