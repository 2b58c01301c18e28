import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
  disableJobsScript,
  disableLines,
  enableJobsScript,
} from "../../../../../components/host/render/former.ts";
import { disabledMarker } from "../../../../../contract/adoption.ts";
import { formerCrontab } from "../../../../support/former-vm/files.ts";
import { temporaryDirectory } from "../../../../support/program.ts";
import { SETTINGS } from "../../../../support/program-stack/settings.ts";

const lines = formerCrontab.split("\n").filter((line) => /^\d/.test(line));

/** A host's root with this crontab of root. */
async function host(text = formerCrontab): Promise<{ root: string; crontab: string }> {
  const root = await temporaryDirectory();
  const directory = join(root, "var/spool/cron/crontabs");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "root"), text);
  await chmod(join(directory, "root"), 0o600);
  return { root, crontab: join(directory, "root") };
}

const run = (script: string, ...args: string[]) => execa("sh", ["-c", script, "sh", ...args]);
const disable = (file: string, some = lines) => disableLines(some.map((line) => ({ file, line })));

describe("former cron lines", () => {
  test("become comments, as they were, and nothing else changes", async () => {
    const more = `MAILTO=admin@example.com\n${formerCrontab}15 4 * * * /usr/local/bin/other 'a\\tb' "%"\n`;
    const { crontab } = await host(more);
    await run(disable(crontab));
    const expected = more.replaceAll(/^\d.*(garbage-collect|\.sh).*$/gm, `${disabledMarker}$&`);
    expect(await readFile(crontab, "utf8")).toBe(expected);
    expect((await stat(crontab)).mode & 0o777).toBe(0o600);
  });

  test("are disabled once, however often that is done", async () => {
    const { crontab } = await host();
    await run(disable(crontab));
    const once = await readFile(crontab, "utf8");
    const { ino } = await stat(crontab);
    await run(disable(crontab));
    expect(await readFile(crontab, "utf8")).toBe(once);
    expect((await stat(crontab)).ino).toBe(ino);
    expect(once.match(new RegExp(disabledMarker, "g"))).toHaveLength(9);
  });

  test("come back byte for byte", async () => {
    const { root, crontab } = await host();
    await run(disable(crontab));
    await run(enableJobsScript(), root);
    expect(await readFile(crontab, "utf8")).toBe(formerCrontab);
    expect(await readdir(join(root, "var/spool/cron/crontabs"))).toEqual(["root"]);
  });

  test("come back beside what was added meanwhile", async () => {
    const { root, crontab } = await host();
    await run(disable(crontab));
    await writeFile(crontab, `${await readFile(crontab, "utf8")}0 0 * * * new\n`);
    await run(enableJobsScript(), root);
    expect(await readFile(crontab, "utf8")).toBe(`${formerCrontab}0 0 * * * new\n`);
  });

  test("with quotes, backslashes and dollars are found as they are", async () => {
    const odd = `1 2 * * * sh -c 'registry garbage-collect -m "$HOME" \\\\ %' && true`;
    const { root, crontab } = await host(`${odd}\n`);
    await run(disable(crontab, [odd]));
    expect(await readFile(crontab, "utf8")).toBe(`${disabledMarker}${odd}\n`);
    await run(enableJobsScript(), root);
    expect(await readFile(crontab, "utf8")).toBe(`${odd}\n`);
  });

  test("of a crontab behind a link are changed there", async () => {
    const { root, crontab } = await host();
    const link = join(root, "link");
    await symlink(crontab, link);
    await run(disable(link));
    expect(await readFile(crontab, "utf8")).toContain(disabledMarker);
    expect((await stat(link)).ino).toBe((await stat(crontab)).ino);
  });

  test("of a crontab that is gone are no error", async () => {
    const { stdout } = await run(disable("/nonexistent/crontab"));
    expect(stdout).toContain("is gone");
  });

  test("are all there or all disabled, at whatever moment the step is killed", async () => {
    const { crontab } = await host();
    await run(disable(crontab));
    const disabled = await readFile(crontab, "utf8");
    const seen = new Set<string>();
    for (let milliseconds = 0; milliseconds < 40; milliseconds += 1) {
      await writeFile(crontab, formerCrontab);
      const step = spawn("sh", ["-c", disable(crontab)], { detached: true, stdio: "ignore" });
      await delay(milliseconds);
      if (step.exitCode === null) {
        const ended = once(step, "exit");
        process.kill(-(step.pid ?? 0), "SIGKILL");
        await ended;
      }
      const text = await readFile(crontab, "utf8");
      expect([formerCrontab, disabled]).toContain(text);
      seen.add(text === disabled ? "disabled" : "as they were");
    }
    // What a kill leaves beside it is passed over by cron, and does not stop the next run.
    const left = (await readdir(join(crontab, ".."))).filter((name) => name !== "root");
    expect(left.every((name) => name.startsWith("."))).toBe(true);
    await run(disable(crontab));
    expect(await readFile(crontab, "utf8")).toBe(disabled);
    expect(seen).toContain("as they were");
  });

  test("are disabled after a run that has begun, such as the scan after a failed mark", async () => {
    const { crontab, root } = await host();
    // Stands in for systemd: the scan runs when it is asked first, and has ended afterwards.
    const asked = join(root, "asked");
    await writeFile(
      join(root, "systemctl"),
      `#!/bin/sh
case "$*" in
  *ActiveState*scan.service) [ -e '${asked}' ] && echo inactive || { echo activating; : >'${asked}'; } ;;
  *ActiveState*) echo inactive ;;
  *ExecMainExitTimestamp*scan.service) [ ! -e '${asked}' ] || echo now ;;
  *ExecMainExitTimestamp*) echo now ;;
  *Result*) echo success ;;
  *ExecMainStatus*) echo 0 ;;
esac
`,
      { mode: 0o755 },
    );
    const script = disableJobsScript(SETTINGS, [{ file: crontab, line: lines[0] ?? "" }]);
    await execa("sh", ["-c", script], { env: { PATH: `${root}:${process.env.PATH}` } });
    expect(await readFile(crontab, "utf8")).toContain(`${disabledMarker}${lines[0]}`);
  });

  test("go on until what replaces them has run", async () => {
    const { crontab } = await host();
    const script = disableJobsScript(SETTINGS, [{ file: crontab, line: lines[0] ?? "" }]);
    // There is no such unit on this machine.
    const ended = await execa("sh", ["-c", script], { reject: false });
    expect(ended.exitCode).toBe(1);
    for (const part of ["scan", "retain", "mark", "collect"]) {
      expect(ended.stderr).toContain(`the former jobs go on: regwarden-${part}.timer is not on`);
      expect(ended.stderr).toContain(`the former jobs go on: regwarden-${part}.service has not run yet`);
    }
    expect(await readFile(crontab, "utf8")).toBe(formerCrontab);
  });
});
