import { compareProperties } from "../../../../provider/diff.ts";
import type { Bag } from "../../../../provider/kinds/kind.ts";
import { serve } from "../../../../provider/server.ts";
import { VaultApi } from "./api.ts";
import { kinds } from "./kinds.ts";

/**
 * A stand-in for the plugin of Vault, which no package registry has: the part that this project uses, with the same
 * requests and the same words in its errors. What it does not know is refused. Source: hashicorp/terraform-provider-vault
 * v5.8.0, internal/provider/meta.go, vault/data_source_kv_secret.go, and kinds.ts.
 */

const api = new VaultApi();

/** Of the provider; the SDK sets the last two itself, for child tokens and servers that are busy. */
const settings = ["address", "skipChildToken", "version", "maxLeaseTtlSeconds", "maxRetries"];

const kindOf = (type: string) => {
  const kind = kinds[type];
  if (kind === undefined) throw new Error(`the stand-in has no ${type}`);
  return kind;
};

/** As the plugin's maps, which hold texts only. */
function texts(data: Bag): Bag {
  const entries = Object.entries(data);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]),
  );
}

async function getSecret(path: string): Promise<Bag> {
  const answer = await api.read(path, `reading secret "${path}" from Vault`);
  if (answer === undefined) throw new Error(`no secret found at "${path}"`);
  return { path, data: texts(answer), dataJson: JSON.stringify(answer) };
}

async function write(type: string, inputs: Bag): Promise<void> {
  const kind = kindOf(type);
  await api.write(kind.path(inputs), kind.body(inputs));
}

await serve(
  {
    version: "7.8.0",
    checkConfig: (config) =>
      Object.keys(config)
        .filter((key) => !settings.includes(key))
        .map((property) => ({ property, reason: "is not known to the stand-in" })),
    configure: (config) => api.configure(config),
    async invoke(token, args) {
      if (token !== "vault:kv/getSecret:getSecret") throw new Error(`the stand-in has no ${token}`);
      try {
        return await getSecret(String(args.path));
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        throw new Error(`invoking ${token}: 1 error occurred:\n\t* ${message}\n\n`);
      }
    },
    check: (type, inputs) => ({
      inputs,
      failures: Object.keys(inputs)
        .filter((key) => !kindOf(type).inputs.includes(key))
        .map((property) => ({ property, reason: "is not known to the stand-in" })),
    }),
    diff: (_type, old, news) => ({
      changes: compareProperties(old, news),
      replaces: [],
      deleteBeforeReplace: false,
    }),
    async create(type, inputs, preview) {
      if (!preview) await write(type, inputs);
      return { id: kindOf(type).path(inputs), outputs: inputs };
    },
    async read(type, _id, { inputs = {} }) {
      const kind = kindOf(type);
      const found = await api.read(kind.path(inputs), "reading from Vault");
      if (found === undefined) return undefined;
      const now = { ...inputs, ...kind.found(found) };
      return { inputs: now, outputs: now };
    },
    async update(type, _id, _old, inputs, preview) {
      if (!preview) await write(type, inputs);
      return inputs;
    },
    async delete(type, _id, { inputs }) {
      await api.remove(kindOf(type).path(inputs));
      return undefined;
    },
  },
  process.argv.slice(2),
);
