import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { compareProperties } from "../../../../provider/diff.ts";
import type { Bag } from "../../../../provider/kinds/kind.ts";
import { serve } from "../../../../provider/server.ts";

/** Steps of a small stack: a file each, which is made only once another file is there. */

const text = (bag: Bag, key: string) => String(bag[key] ?? "");

async function make(inputs: Bag): Promise<void> {
  writeFileSync(`${text(inputs, "path")}.begun`, "");
  const gate = text(inputs, "gate");
  for (let waited = 0; gate !== "" && !existsSync(gate); waited++) {
    if (waited > 1200) throw new Error(`${gate} did not appear within a minute`);
    await delay(50);
  }
  writeFileSync(text(inputs, "path"), text(inputs, "content"));
}

await serve(
  {
    version: "0.1.0",
    checkConfig: () => [],
    configure({ key }) {
      // As the kubernetes plugin does, with the kubeconfig.
      writeFileSync(`${tmpdir()}/left-behind`, "secret");
      if (typeof key === "string") writeFileSync(`${process.env.SMALL_STEPS}/key-in-use`, key);
    },
    check: (_type, inputs) => ({ inputs, failures: [] }),
    diff: (_type, old, news) => ({
      changes: compareProperties(old, news),
      replaces: [],
      deleteBeforeReplace: false,
    }),
    async create(_type, inputs, preview) {
      if (!preview) await make(inputs);
      return { id: text(inputs, "path"), outputs: inputs };
    },
    async read(_type, path, { inputs = {} }) {
      if (text(inputs, "unreachable") !== "" && existsSync(text(inputs, "unreachable")))
        throw new Error("the host is not reachable");
      if (!existsSync(path)) return undefined;
      const found = { ...inputs, content: readFileSync(path, "utf8") };
      // An output that each read changes, as that of `Unmanaged` in the host provider: no difference.
      return { inputs: found, outputs: { ...found, readAt: new Date().toISOString() } };
    },
    async update(_type, _id, _old, inputs, preview) {
      if (!preview) await make(inputs);
      return inputs;
    },
    async delete(_type, path) {
      rmSync(path, { force: true });
      return undefined;
    },
  },
  process.argv.slice(2),
);
