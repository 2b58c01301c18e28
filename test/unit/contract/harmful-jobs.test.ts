import { mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { harmfulJobs, listJobsFunction } from "../../../contract/harmful-jobs.ts";
import { temporaryDirectory } from "../../support/program.ts";

const collect = "registry garbage-collect";
const config = "/etc/docker/registry/config.yml";

/** Makes these files, and finds the harmful jobs among them as `FILE:LINE`, FILE without the host's root. */
async function found(files: Readonly<Record<string, string>>): Promise<string[]> {
  const root = await temporaryDirectory();
  for (const [path, text] of Object.entries({ "/etc/systemd/system/other.service": "[Unit]\n", ...files })) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text.replaceAll("ROOT", root));
  }
  return await listed(root);
}

async function listed(root: string): Promise<string[]> {
  const script = `set -eu\n${listJobsFunction}\nlist_jobs "$1"`;
  const { stdout } = await execa("sh", ["-c", script, "sh", root]);
  return (harmfulJobs(stdout) ?? []).map(({ file, line }) => `${file.slice(root.length)}:${line}`);
}

const isHarmful = async (line: string) => (await found({ "/etc/cron.d/job": `${line}\n` })).length === 1;

describe("a scheduled job that removes what tags need is found", () => {
  test.each([
    "/var/spool/cron/crontabs/root",
    "/var/spool/cron/root",
    "/etc/crontab",
    "/etc/cron.d/registry",
    "/etc/cron.weekly/registry-gc",
    "/etc/systemd/system/registry-gc.service",
    "/usr/lib/systemd/system/registry-gc.service",
    "/root/.config/systemd/user/gc.service",
  ])("in %s, with its line", async (path) => {
    expect(
      await found({ [path]: `# every Sunday\n\n0 3 * * 0 docker exec a ${collect} -m ${config}\n` }),
    ).toEqual([`${path}:3`]);
  });

  test.each([
    `/usr/bin/docker exec registry-private ${collect} -m ${config} >> /var/log/gc.log 2>&1`,
    `docker exec r /bin/${collect} ${config} --delete-untagged`,
    `docker exec r ${collect} --delete-untagged=true ${config}`,
    `sh -c "docker exec r ${collect} '-m' ${config}; echo done"`,
    `true && ${collect} -m ${config} || true`,
    'subprocess.run(["docker", "exec", "r", "registry", "garbage-collect", "-m", "/c.yml"])',
    "0 2 * * * python3 /opt/registry/cleanup-tags.sh 10",
    "30 2 * * 1-6 python3 /opt/registry/fix-broken-blobs.sh",
  ])("as %s", async (line) => {
    expect(await isHarmful(line)).toBe(true);
  });

  test.each([
    `${collect} ${config}`,
    `# ${collect} -m ${config}`,
    `docker run -m 512m registry:2.8.3 garbage-collect ${config}`,
    `${collect} ${config} && rm -m`,
    `${collect} --dry-run -m ${config}`,
    `${collect} --delete-untagged=false ${config}`,
    "python3 /opt/registry/cleanup-tags.shell",
  ])("but not %s", async (line) => {
    expect(await isHarmful(line)).toBe(false);
  });

  test("when its command goes over several lines, by the first of them", async () => {
    const unit = `[Service]\nExecStart=/usr/bin/docker exec registry-private \\\n  ${collect} \\\n  -m ${config}\n`;
    expect(await found({ "/etc/systemd/system/gc.service": unit })).toEqual([
      "/etc/systemd/system/gc.service:2",
    ]);
  });

  test("in a script that a crontab or a unit names by its path", async () => {
    const jobs = await found({
      "/etc/cron.d/registry": "0 3 * * 0 root ROOT/opt/gc.sh\n",
      "/opt/gc.sh": `#!/bin/sh\n${collect} -m ${config}\n`,
      "/opt/never-run.sh": `#!/bin/sh\n${collect} -m ${config}\n`,
    });
    expect(jobs).toEqual(["/opt/gc.sh:2"]);
  });

  test("once, however many links lead to its unit", async () => {
    const root = await temporaryDirectory();
    await mkdir(join(root, "etc/systemd/system/timers.target.wants"), { recursive: true });
    const unit = join(root, "etc/systemd/system/gc.service");
    await writeFile(unit, `[Service]\nExecStart=${collect} -m ${config}\n`);
    await symlink(unit, join(root, "etc/systemd/system/timers.target.wants/gc.service"));
    await symlink("/nowhere", join(root, "etc/systemd/system/dangling.service"));
    expect(await listed(root)).toEqual(["/etc/systemd/system/gc.service:2"]);
  });
});

test("files without such a job are not handed over", async () => {
  const root = await temporaryDirectory();
  await mkdir(join(root, "etc/cron.d"), { recursive: true });
  await writeFile(join(root, "etc/cron.d/backup"), "0 1 * * * root backup --password hunter2\n");
  const script = `set -eu\n${listJobsFunction}\nlist_jobs "$1"`;
  const { stdout } = await execa("sh", ["-c", script, "sh", root]);
  expect(stdout).not.toContain("hunter2");
  expect(harmfulJobs(stdout)).toEqual([]);
});

test("a listing that was cut off is no listing without jobs", async () => {
  expect(harmfulJobs("/etc/crontab\u00001:# nothing\n")).toBeUndefined();
  const script = `${listJobsFunction}\nlist_jobs "$1"`;
  const { exitCode, stdout } = await execa("sh", ["-c", script, "sh", "/nowhere"], { reject: false });
  expect(exitCode).toBe(1);
  expect(harmfulJobs(stdout)).toBeUndefined();
});
