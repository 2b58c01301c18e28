import { randomUUID } from "node:crypto";
import { compareProperties } from "../../../provider/diff.ts";
import { HostError } from "../../../provider/errors.ts";
import type { Bag, Recorded } from "../../../provider/kinds/kind.ts";
import { unknown } from "../../../provider/kinds/kind.ts";
import type { DiffAnswer, Plugin } from "../../../provider/server.ts";
import { connectionFaults, parseConnection } from "../../../provider/ssh/connection-config.ts";
import { SshHost } from "../../../provider/ssh/host.ts";

/** The part of @pulumi/command's `remote.Command` that this project uses. */
const supported = [
  "connection",
  "create",
  "update",
  "delete",
  "stdin",
  "triggers",
  "logging",
  "addPreviousOutputInEnv",
];

/**
 * A stand-in for the command plugin on a closed network, because no package registry has the plugin. It speaks the same
 * protocol and has the same rules (triggers replace, another command line updates, no read), but requires a host key.
 * Anything it does not know is refused. Source: pulumi/pulumi-command, provider/pkg/provider/remote.
 */
export class CommandPlugin implements Plugin {
  /** Of the release that it stands in for. */
  readonly version = "1.2.1";
  readonly #hosts = new Map<string, SshHost>();

  checkConfig(): [] {
    return [];
  }

  configure(): void {}

  check(type: string, news: Bag) {
    if (type !== "command:remote:Command")
      throw new HostError("E_STATE", `The lab's command plugin has no ${type}.`);
    const failures = Object.keys(news)
      .filter((key) => !supported.includes(key))
      .map((property) => ({ property, reason: "is not known to the lab's command plugin" }));
    const connection = news.connection === unknown ? [] : connectionFaults(connectionOf(news));
    return {
      inputs: news,
      failures: [...failures, ...connection.map((reason) => ({ property: "connection", reason }))],
    };
  }

  diff(_type: string, oldInputs: Bag, news: Bag): DiffAnswer {
    const changes = compareProperties(oldInputs, news);
    const replaces = [...changes.keys()].some((path) => path.startsWith("triggers")) ? ["triggers"] : [];
    return { changes, replaces, deleteBeforeReplace: false };
  }

  async create(_type: string, inputs: Bag, preview: boolean) {
    const id = preview ? "" : `command-${randomUUID()}`;
    return { id, outputs: { ...inputs, ...(await this.#run(inputs, "create", preview)) } };
  }

  async read(
    _type: string,
    _id: string,
    recorded: Partial<Recorded<Bag>>,
  ): Promise<Recorded<Bag> | undefined> {
    return recorded.inputs && recorded.outputs && { inputs: recorded.inputs, outputs: recorded.outputs };
  }

  async update(_type: string, _id: string, _old: Recorded<Bag>, inputs: Bag, preview: boolean): Promise<Bag> {
    return {
      ...inputs,
      ...(await this.#run(inputs, inputs.update === undefined ? "create" : "update", preview)),
    };
  }

  async delete(_type: string, _id: string, { inputs }: Recorded<Bag>): Promise<undefined> {
    if (inputs.delete !== undefined) await this.#run(inputs, "delete", false);
  }

  async #run(inputs: Bag, field: "create" | "update" | "delete", preview: boolean): Promise<Bag> {
    if (preview) return { stdout: unknown, stderr: unknown };
    const stdin = typeof inputs.stdin === "string" ? { stdin: inputs.stdin } : {};
    const result = await this.#host(inputs).execute(String(inputs[field] ?? ""), {
      action: `${field} command`,
      ...stdin,
    });
    const stdout = result.stdout.toString("utf8");
    if (result.exitCode !== 0) {
      throw new HostError(
        "E_REMOTE",
        `Process exited with status ${result.exitCode}: running the ${field} command:\n${result.stderr}${stdout}`,
      );
    }
    return { stdout: stdout.replace(/\n$/, ""), stderr: result.stderr.replace(/\n$/, "") };
  }

  #host(inputs: Bag): SshHost {
    const key = JSON.stringify(connectionOf(inputs));
    const host = this.#hosts.get(key) ?? new SshHost(parseConnection(connectionOf(inputs)));
    this.#hosts.set(key, host);
    return host;
  }
}

/** Numbers arrive as such, absent fields as null. */
function connectionOf({ connection }: Bag): Bag {
  return Object.fromEntries(Object.entries((connection ?? {}) as Bag).filter(([, value]) => value !== null));
}
