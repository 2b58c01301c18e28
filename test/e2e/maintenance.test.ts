import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accessLogDirectory, accessLogPath } from "../../contract/access-log.ts";
import { cronJobs } from "../../contract/cluster-names.ts";
import { containers, units } from "../../contract/host-names.ts";
import { freezeFlag, freezePaths } from "../../contract/write-freeze.ts";
import { clientFiles } from "../../lab/host/client-files.ts";
import { writeLayout } from "../../lab/images/oci-content.ts";
import { ports } from "../../lab/machine/instances.ts";
import { waitUntil } from "../../lab/machine/wait.ts";
import { image } from "../support/images/oci-content.ts";
import { holds } from "../support/lab/prometheus.ts";
import { runJob } from "../support/lab/run-job.ts";
import { instance, onHost } from "../support/lab/stack.ts";

/** How often a retention or a collection is killed at a random moment: 200 on request, for half an hour. */
const kills = Number(process.env.REGWARDEN_MAINTENANCE_KILLS ?? 4);

const { authFile, certificateDirectory, registry } = clientFiles(instance);
const repository = "ci/maintained";
const tags = ["one", "two", "three"];
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "regwarden-maintenance-"));
  // Without its list, nothing is removed.
  const { code, log } = await runJob(cronJobs.inUse);
  expect(code, log).toBe(0);
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const start = (unit: string) => onHost(`systemctl start ${unit}`);
const serverStatus = async () =>
  JSON.parse(await onHost(`curl -sf http://127.0.0.1:${ports.metrics}${freezePaths.status}`));

async function push(tag: string, to = repository): Promise<void> {
  const layout = join(scratch, tag);
  await writeLayout(layout, image(`${tag} ${randomBytes(8).toString("hex")}`, "linux/amd64"), tag);
  const flags = ["--dest-authfile", authFile, "--dest-cert-dir", certificateDirectory];
  await execa("skopeo", ["copy", ...flags, `oci:${layout}:${tag}`, `docker://${registry}/${to}:${tag}`]);
}

/** Pulls every byte of a tag; whether that worked. */
async function isPulled(tag: string, from = repository): Promise<boolean> {
  const target = await mkdtemp(join(scratch, "pulled-"));
  const flags = ["--src-authfile", authFile, "--src-cert-dir", certificateDirectory];
  const { exitCode } = await execa(
    "skopeo",
    ["copy", ...flags, `docker://${registry}/${from}:${tag}`, `oci:${target}:x`],
    { reject: false },
  );
  return exitCode === 0;
}

async function aMinutePasses(): Promise<void> {
  const end = Date.now() + 61_000;
  await waitUntil("a minute", 70, async () => Date.now() > end, 1000);
}

/** What a unit printed in its runs since a time of the host. */
const journal = (unit: string, since: string) =>
  onHost(`journalctl --unit ${unit} --since @${since} --output cat --no-pager`);

/** Starts a unit and waits for its end, with which it must be content. */
async function succeeds(unit: string): Promise<void> {
  await start(unit);
  expect(await onHost(`systemctl show --property Result --value ${unit}`)).toBe("success");
}

/** Writes go through at once, and no flag is left. */
async function isUnfrozen(): Promise<void> {
  expect(await onHost(`ls ${freezeFlag} 2>/dev/null || true`)).toBe("");
  expect(await serverStatus()).toMatchObject({ frozen: false, held: 0 });
}

/** What holds writes: a unit, and its container. */
const holders = [
  [units.collect, containers.collect],
  [units.retain, containers.retain],
] as const;

/** With what runs at the unit's end: of a freeze only its lease is left. */
const killAll = (unit: string, container: string) =>
  `systemctl kill --signal KILL ${unit}; docker kill ${container} >/dev/null 2>&1`;
/** Docker's client: the container is still at work then. */
const killClient = (unit: string) => `systemctl kill --signal KILL --kill-whom main ${unit}`;

const running = (container: string) => onHost(`docker ps --quiet --filter name=^${container}$`);

/** A container that was only just starting runs to its end; writes go through when the lease is over. */
async function becomesUnfrozen(container: string): Promise<void> {
  await waitUntil("the end of the container", 60, async () => (await running(container)) === "", 100);
  await waitUntil("the end of the lease", 6, async () => !(await serverStatus()).frozen, 100);
}

describe("the maintenance of the registry, by its units", () => {
  test("a retention or collection that is killed leaves nothing frozen and loses nothing, and the next one completes", async () => {
    // Of the second repository, tags go: the rules keep the newest three of each.
    for (const to of [repository, "ci/killed"]) for (const tag of tags) await push(tag, to);
    const before = await Promise.all(tags.map((tag) => isPulled(tag)));
    for (let kill = 0; kill < kills; kill++) {
      const milliseconds = Math.floor(Math.random() * 3000);
      const [unit, container] = holders[Math.floor(kill / 2) % 2] ?? holders[0];
      await onHost(
        `systemctl start --no-block ${unit}; sleep ${milliseconds / 1000}; ` +
          `${kill % 2 === 0 ? killAll(unit, container) : killClient(unit)}; ` +
          `until systemctl show --property ActiveState --value ${unit} | grep -qxE "inactive|failed"; do sleep 0.1; done`,
      );
      if (kill % 2 === 1) {
        expect(await running(container)).toBe("");
        await isUnfrozen();
      } else await becomesUnfrozen(container);
      // A few names: retention drops no more than half of all tags at one time.
      await push(`after-kill-${kill % 5}`, "ci/killed");
    }
    expect(await Promise.all(tags.map((tag) => isPulled(tag)))).toEqual(before);
    for (const [unit] of holders) await succeeds(unit);
  }, 3_600_000);

  test("drops tags, marks, collects and purges by its units, which say so in the journal and in Prometheus", async () => {
    const own = `ci/chain-${randomBytes(4).toString("hex")}`;
    const since = await onHost("date +%s");
    for (const tag of ["v1", "v2", "v3", "v4", "v5"]) await push(tag, own);
    await succeeds(units.retain);
    expect(await journal(units.retain, since)).toContain(own);
    // By the lab's settings a mark spares what is younger than a minute, and a collection what is not dead for a minute.
    await aMinutePasses();
    await succeeds(units.mark);
    await aMinutePasses();
    await succeeds(units.collect);
    const said = await journal(units.collect, since);
    expect(said).toContain(own);
    expect(said).toMatch(/moved into the quarantine, .* To undo: regwarden gc .* --undo /);
    await succeeds(units.purge);
    expect(await journal(units.purge, since)).not.toBe("");
    await isUnfrozen();
    expect(await Promise.all(["v1", "v2", "v3", "v4", "v5"].map((tag) => isPulled(tag, own)))).toEqual([
      false,
      false,
      true,
      true,
      true,
    ]);
    await holds(`regwarden_retain_last_run_timestamp_seconds >= ${since}`);
    await holds('regwarden_retain_tags{decision="drop"} >= 2');
    await holds("regwarden_retain_freeze_seconds > 0");
    await holds(`regwarden_collect_success_timestamp_seconds >= ${since}`);
    await holds("regwarden_collect_proof_lost_tags == 0");
    await holds("regwarden_collect_removed_bytes > 0");
    await holds("regwarden_freeze_active == 0");
  }, 600_000);

  test("gets a new file of nginx's log, and nginx goes on, also by later reloads", async () => {
    // As if the present file had begun long ago.
    await onHost(`printf 0000000001 | dd of=${accessLogPath} bs=1 seek=10 conv=notrunc status=none`);
    const former = await onHost(`ls ${accessLogDirectory} | wc -l`);
    for (let time = 0; time < 2; time++) await start(units.accessLog);
    expect(Number(await onHost(`ls ${accessLogDirectory} | wc -l`))).toBe(Number(former) + 1);
    await push("logged");
    expect(await onHost(`cat ${accessLogPath}`)).toContain(`/v2/${repository}/manifests/logged`);
    await onHost(`printf 0000000001 | dd of=${accessLogPath} bs=1 seek=10 conv=notrunc status=none`);
    await start(units.accessLog);
    await push("logged-again");
    expect(await onHost(`cat ${accessLogPath}`)).toContain(`/v2/${repository}/manifests/logged-again`);
  });

  test("has the directory of the freeze again after a boot, and no flag in it", async () => {
    const root = "/tmp/boot";
    await onHost(
      `rm -rf ${root}; mkdir -p ${root}/etc/tmpfiles.d && cp /etc/tmpfiles.d/regwarden.conf ${root}/etc/tmpfiles.d/ && ` +
        `cp /etc/passwd /etc/group ${root}/etc/ && systemd-tmpfiles --root ${root} --create regwarden.conf`,
    );
    expect(await onHost(`find ${root}/run/regwarden`)).toBe(
      `${root}/run/regwarden\n${root}/run/regwarden/freeze`,
    );
    expect(await onHost("findmnt --noheadings --output FSTYPE --target /run/regwarden")).toBe("tmpfs");
  });
});
