import * as v from "valibot";
import { compareProperties } from "./diff.ts";
import { HostError, isUnreached } from "./errors.ts";
import { type Bag, type Recorded, type ResourceKind, unchanged, unknown } from "./kinds/kind.ts";
import { assertFit } from "./remote/preflight.ts";
import type { CheckFailure, DiffAnswer, Plugin } from "./server.ts";
import { connectionFaults, parseConnection } from "./ssh/connection-config.ts";
import { SshHost } from "./ssh/host.ts";

// biome-ignore lint/suspicious/noExplicitAny: kinds of different inputs in one table; each checks its own at the door
type AnyKind = ResourceKind<any>;

/** The `host` provider: one host by configuration, resources by kind. */
export class HostPlugin implements Plugin {
  readonly version = "0.1.0";
  readonly #kinds: Readonly<Record<string, AnyKind>>;
  #host: SshHost | undefined;
  #preflight: Promise<void> | undefined;
  #mounts: readonly string[] = [];
  #isDeferrable = false;

  constructor(kinds: Readonly<Record<string, AnyKind>>) {
    this.#kinds = kinds;
  }

  checkConfig({ connection }: Bag): CheckFailure[] {
    if (connection === unknown) return [];
    if (typeof connection !== "string") {
      return [{ property: "connection", reason: "is required: make an explicit `new host.Provider(...)`" }];
    }
    return connectionFaults(JSON.parse(connection)).map((reason) => ({ property: "connection", reason }));
  }

  configure({ connection, mounts, deferrable }: Bag): void {
    this.#isDeferrable = deferrable === "true";
    this.#mounts = typeof mounts === "string" && mounts !== unknown ? mounts.split("\n") : [];
    if (typeof connection === "string" && connection !== unknown) {
      this.#host = new SshHost(parseConnection(JSON.parse(connection)));
      this.#preflight = undefined;
    }
  }

  async reach({ connection, deferrable }: Bag): Promise<void> {
    if (typeof connection !== "string" || connection === unknown || deferrable === "true") return;
    const host = new SshHost(parseConnection(JSON.parse(connection)));
    try {
      await host.execute("true", { action: "connect" });
    } finally {
      await host.close();
    }
  }

  check(type: string, news: Bag): { inputs: Bag; failures: CheckFailure[] } {
    const { schema, opaque = [] } = this.#kind(type);
    const result = v.safeParse(schema, news);
    const failures = (result.issues ?? [])
      .filter((issue) => issue.input !== unknown)
      .map((issue) => ({ property: property(issue, opaque), reason: reason(issue) }));
    return { inputs: (failures.length > 0 ? news : result.output) as Bag, failures };
  }

  diff(type: string, oldInputs: Bag, news: Bag): DiffAnswer {
    const kind = this.#kind(type);
    const settings = new Set<string>(kind.settings);
    const old = kind.inTermsOf?.(oldInputs, news) ?? oldInputs;
    const all = compareProperties(old, news, kind.opaque);
    const changes = new Map([...all].filter(([path]) => !settings.has(path.split(/[.[]/)[0] ?? path)));
    return {
      changes,
      replaces: kind.replaceOn.filter((key) => changes.has(key)),
      deleteBeforeReplace: kind.deleteBeforeReplace ?? false,
    };
  }

  async create(type: string, inputs: Bag, preview: boolean): Promise<{ id: string; outputs: Bag }> {
    const kind = this.#kind(type);
    if (preview) return { id: "", outputs: kind.preview(inputs, undefined) };
    return await kind.create(await this.#hostFor(kind), inputs);
  }

  async read(type: string, id: string, recorded: Partial<Recorded<Bag>>): Promise<Recorded<Bag> | undefined> {
    const kind = this.#kind(type);
    try {
      const found = await kind.read(this.#reachable(), id, recorded);
      return recorded.inputs === undefined ? imported(kind, id, found) : found;
    } catch (error) {
      const { inputs, outputs } = recorded;
      if (!this.#isDeferrable || !isUnreached(error) || inputs === undefined || outputs === undefined)
        throw error;
      // What is recorded stands; that the host was not asked is said by its resource `Reachable`, which differs then.
      return { inputs, outputs };
    }
  }

  async update(type: string, id: string, old: Recorded<Bag>, inputs: Bag, preview: boolean): Promise<Bag> {
    const kind = this.#kind(type);
    return preview
      ? kind.preview(inputs, old)
      : await kind.update(await this.#hostFor(kind), id, old, inputs);
  }

  async delete(type: string, id: string, recorded: Recorded<Bag>): Promise<string | undefined> {
    return await this.#kind(type).remove(this.#reachable(), id, recorded);
  }

  #kind(type: string): AnyKind {
    const kind = this.#kinds[type];
    if (!kind) {
      throw new HostError(
        "E_STATE",
        `The provider has no resource type ${type}; it has ${Object.keys(this.#kinds).join(", ")}.`,
      );
    }
    return kind;
  }

  async #hostFor(kind: AnyKind): Promise<SshHost> {
    return kind.needsAnswerOnly === true ? this.#reachable() : await this.#ready();
  }

  /** The host, once it has all that the stack needs: checked before the first change. */
  async #ready(): Promise<SshHost> {
    const host = this.#reachable();
    if (this.#preflight === undefined) {
      this.#preflight = assertFit(host, this.#mounts, !this.#isDeferrable);
      await this.#preflight;
    }
    try {
      await this.#preflight;
    } catch (error) {
      if (!(error instanceof HostError) || error.code !== "E_PREFLIGHT") throw error;
      const message = `${host.name}: not changed: another message of this run says what the host lacks.`;
      throw new HostError("E_PREFLIGHT", message, { cause: error });
    }
    return host;
  }

  #reachable(): SshHost {
    if (!this.#host) {
      throw new HostError(
        "E_CONNECTION_CONFIG",
        "The host's connection is not known yet; make it from values that a preview knows.",
      );
    }
    return this.#host;
  }
}

/**
 * What an import records. One that finds nothing is not an error where the update that follows makes the thing: the list
 * of what is to be imported may be older than what has become of the host since.
 */
function imported(kind: AnyKind, id: string, found: Recorded<Bag> | undefined): Recorded<Bag> | undefined {
  const inputs = found?.inputs ?? kind.missing?.(id);
  return inputs && { inputs, outputs: { ...inputs, ...unchanged, ...found?.outputs } };
}

/** Where a fault is; not further than an input whose keys may be secret. */
function property(issue: v.BaseIssue<unknown>, opaque: readonly string[]): string {
  const [top = ""] = (issue.path ?? []).map(({ key }) => String(key));
  return opaque.includes(top) ? top : (v.getDotPath(issue) ?? "");
}

/** A fault without the value, which may be a secret. */
function reason(issue: v.BaseIssue<unknown>): string {
  if (issue.type === "strict_object" && issue.expected === "never")
    return "is not a property of this resource";
  return issue.received === "undefined" ? "is required" : issue.message.replace(/ but received .*$/s, "");
}
