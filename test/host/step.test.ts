import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { step } from "../../provider/kinds/step.ts";
import { HostPlugin } from "../../provider/plugin.ts";
import type { SshHost } from "../../provider/ssh/host.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const log = "/srv/step-test";
const inputs = { action: "write the log", script: `echo run >>${log}`, triggers: ["one"] };
const runs = () => host.sh(`grep -c run ${log} || true`);
/** As the engine does it: an update only where something differs. */
const next = async (over: SshHost, old: typeof inputs, news: typeof inputs) => {
  const { changes, replaces } = new HostPlugin({ Step: step }).diff("Step", old, news);
  expect(replaces).toEqual([]);
  if (changes.size > 0) await step.update(over, "step", { inputs: old, outputs: {} }, news);
  return [...changes.keys()];
};

beforeAll(async () => {
  host = await testHost();
});
afterEach(() => host.sh(`rm -f ${log}`));

describe("a step", () => {
  test.each(["root", "deploy"] as const)("runs once as root, over the connection of %s", async (account) => {
    const script = `test "$(id -u)" = 0 && echo 'it'"'"'s a run' >${log}`;
    expect(await step.create(host[account], { ...inputs, script })).toEqual({
      id: "step",
      outputs: { changedAt: expect.stringMatching(/^20.*Z$/) },
    });
    expect(await host.sh(`cat ${log}`)).toBe("it's a run");
  });

  test("runs again for another trigger, and not for another text, input or name", async () => {
    await step.create(host.root, inputs);
    const other = { ...inputs, action: "x", script: `echo other run >>${log}`, stdin: "y", removal: "false" };
    expect(await next(host.root, inputs, other)).toEqual([]);
    expect(await runs()).toBe("1");
    expect(await next(host.root, inputs, { ...other, triggers: ["two"] })).toEqual(["triggers"]);
    expect(await host.sh(`cat ${log}`)).toBe("run\nother run");
  });

  test("reads what comes by standard input, which no list of processes shows", async () => {
    const script = `read -r word; tr '\\0' ' ' </proc/$$/cmdline >${log}; printf ' %s' "\${#word}" >>${log}`;
    await step.create(host.deploy, { ...inputs, script, stdin: "secret-word\n" });
    expect(await host.sh(`tail -c 3 ${log}`)).toBe(" 11");
    expect(await host.sh(`cat ${log}`)).not.toContain("secret-word");
  });

  test("that fails says what it was about, and all that it said in the order in which it was said", async () => {
    const script = "echo checked: 3; echo 'wrong: 1' >&2; exit 4";
    await expect(step.create(host.root, { ...inputs, script })).rejects.toMatchObject({
      code: "E_REMOTE",
      message: `${host.root.name}: write the log failed (exit 4): checked: 3\nwrong: 1`,
    });
  });

  test("is known from its record alone, and runs what it was given for its removal, once it goes", async () => {
    const recorded = { inputs: { ...inputs, removal: `echo gone >>${log}` }, outputs: { changedAt: "x" } };
    expect(await step.read(host.root, "step", recorded)).toEqual(recorded);
    expect(await step.read(host.root, "step", {})).toBeUndefined();
    await step.remove(host.root, "step", recorded);
    expect(await host.sh(`cat ${log}`)).toBe("gone");
    await step.remove(host.root, "step", { inputs, outputs: {} });
  });
});
