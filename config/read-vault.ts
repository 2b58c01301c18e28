import * as pulumi from "@pulumi/pulumi";
import * as vault from "@pulumi/vault";
import * as v from "valibot";
import type { Config } from "./read-config.ts";
import type { SecretCheck } from "./secret-rules.ts";
import { type KvFault, kvFaultsText, shortReason } from "./vault-faults.ts";

/** The KV secrets that the configuration names. */
export interface Kv {
  /** A field's value; a missing or wrong one is noted among the faults. Empty where there is none. */
  readonly field: (path: string, field: string, check: SecretCheck) => string;
  readonly note: (path: string, field: string, fault: string) => void;
  /** Throws one RunError with every path and field that is at fault: address, mount, reason, and what to do. */
  readonly assertNoFaults: () => void;
}

/** The provider of Vault; undefined where the secrets lie in the configuration. */
export function vaultOf({
  secretsSource,
  vault: { address },
}: Pick<Config, "secretsSource" | "vault">): vault.Provider | undefined {
  if (secretsSource !== "vault") return undefined;
  // A child token would need a right that no reading of secrets needs: auth/token/create.
  return new vault.Provider("vault", { ...(address === undefined ? {} : { address }), skipChildToken: true });
}

/** Reads KV secrets by their paths. A path that cannot be read is a fault among the others. */
export async function readKv(
  provider: vault.Provider,
  { address, mount }: Config["vault"],
  paths: readonly string[],
): Promise<Kv> {
  const outcomes = await Promise.all([...new Set(paths)].map((path) => readPath(provider, mount, path)));
  const secrets = new Map(outcomes.map(({ path, data }) => [path, data]));
  const faults: KvFault[] = outcomes.flatMap(({ path, reason }) =>
    reason === undefined ? [] : [{ path, reason }],
  );
  const note: Kv["note"] = (path, field, reason) => {
    faults.push({ path, field, reason });
  };
  const field: Kv["field"] = (path, name, check) => {
    const data = secrets.get(path);
    // It is a fault already.
    if (data === undefined) return "";
    const value = data[name];
    const rule = value === undefined ? undefined : check(value);
    if (value === undefined) note(path, name, "is missing");
    if (rule !== undefined) note(path, name, `must be ${rule}`);
    return value ?? "";
  };
  const assertNoFaults = () => {
    if (faults.length > 0) throw new pulumi.RunError(kvFaultsText(address, mount, faults));
  };
  return { field, note, assertNoFaults };
}

interface PathOutcome {
  readonly path: string;
  readonly data?: Readonly<Record<string, string>>;
  /** Why there is no data. */
  readonly reason?: string;
}

/** What an engine of version 2 answers; the plugin makes JSON of what is no text. Data is null in a deleted version. */
const versioned = v.object({
  data: v.pipe(v.string(), v.parseJson(), v.nullable(v.record(v.string(), v.unknown()))),
});

// By the plain read, of the API's own path: see docs/adr/0034.
async function readPath(provider: vault.Provider, mount: string, path: string): Promise<PathOutcome> {
  try {
    const { data } = await vault.kv.getSecret({ path: `${mount}/data/${path}` }, { provider });
    const parsed = v.safeParse(versioned, data);
    if (!parsed.success) return { path, reason: "no secret of a KV engine of version 2" };
    const fields = parsed.output.data;
    return fields === null
      ? { path, reason: "its latest version is deleted" }
      : { path, data: texts(fields) };
  } catch (error) {
    return { path, reason: shortReason(error instanceof Error ? error.message : String(error)) };
  }
}

function texts(fields: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
