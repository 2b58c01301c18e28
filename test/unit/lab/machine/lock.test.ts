import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { lock, withLock } from "../../../../lab/machine/lock.ts";

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lab-lock-"));
  file = join(directory, "instance");
});
afterEach(() => rmSync(directory, { recursive: true }));

test("a second run is refused while the first holds the lock, and its error names the process", async () => {
  await withLock(file, async () => {
    const refused = withLock(file, async () => undefined);
    await expect(refused).rejects.toMatchObject({
      code: "E_BUSY",
      message: expect.stringContaining(`${process.pid}`),
    });
  });
  await expect(withLock(file, async () => "free")).resolves.toBe("free");
});

test("a run that waits goes on when the first has ended", async () => {
  const release = await lock(file);
  const order: string[] = [];
  const second = withLock(file, async () => order.push("second"), true);
  order.push("first");
  release?.();
  await second;
  expect(order).toEqual(["first", "second"]);
});

test("a lock ends with the process that held it, however that died", async () => {
  const program = `import { lock } from ${JSON.stringify(join(import.meta.dirname, "../../../../lab/machine/lock.ts"))};
    await lock(${JSON.stringify(file)}); console.log("locked"); setInterval(() => {}, 1000);`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  await once(holder.stdout, "data");
  expect(await lock(file)).toBeUndefined();
  holder.kill("SIGKILL");
  const release = await lock(file, true);
  expect(release).toBeDefined();
  release?.();
});
