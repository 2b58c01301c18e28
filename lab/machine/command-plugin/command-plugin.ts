import { randomUUID } from "node:crypto";
import { connect } from "node:net";
import { compareProperties } from "../../../provider/diff.ts";
import { HostError } from "../../../provider/errors.ts";
import type { Bag, Recorded } from "../../../provider/kinds/kind.ts";
import { unknown } from "../../../provider/kinds/kind.ts";
import type { DiffAnswer, Plugin } from "../../../provider/server.ts";
import {
  type Connection,
  connectionFaults,
  parseConnection,
} from "../../../provider/ssh/connection-config.ts";
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
 * Anything it does not know is refused, and what fails or warns there fails here: a deployment that works in the lab
 * works with the plugin. Source: pulumi/pulumi-command, provider/pkg/provider/remote.
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
    // The plugin would set variables that no sshd takes by default, and warn at each update.
    const outputs = news.addPreviousOutputInEnv === false ? [] : ["must be false"];
    return {
      inputs: news,
      failures: [
        ...failures,
        ...connection.map((reason) => ({ property: "connection", reason })),
        ...outputs.map((reason) => ({ property: "addPreviousOutputInEnv", reason })),
      ],
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
    const host = await this.#dialled(inputs);
    const result = await host.execute(String(inputs[field] ?? ""), { action: `${field} command`, ...stdin });
    const stdout = result.stdout.toString("utf8");
    if (result.exitCode !== 0) {
      throw new HostError(
        "E_REMOTE",
        `Process exited with status ${result.exitCode}: running the ${field} command:\n${result.stderr}${stdout}`,
      );
    }
    return { stdout: stdout.replace(/\n$/, ""), stderr: result.stderr.replace(/\n$/, "") };
  }

  /** As the plugin, this one dials again after any failure, a key that is refused included. */
  async #dialled(inputs: Bag): Promise<SshHost> {
    const connection = parseConnection(connectionOf(inputs));
    const key = JSON.stringify(connection);
    const known = this.#hosts.get(key);
    if (known !== undefined) return known;
    await assertKeysOf(connection);
    for (let attempt = 1; ; attempt++) {
      const host = new SshHost({ ...connection, dialErrorLimit: 1 });
      try {
        await host.execute("true", { action: "dial" });
        this.#hosts.set(key, host);
        return host;
      } catch (error) {
        if (attempt <= connection.dialErrorLimit) continue;
        // Its message names no host, only what Go's SSH says.
        const said = "ssh: handshake failed or no connection";
        throw new HostError("E_REMOTE", `after ${attempt - 1} failed attempts: ${said}`, { cause: error });
      }
    }
  }
}

/** Errors: as the plugin for a key with carriage returns, and for an agent that is not there, also beside a key. */
async function assertKeysOf({ proxy, ...connection }: Connection): Promise<void> {
  for (const hop of proxy === undefined ? [connection] : [connection, proxy]) {
    if (hop.privateKey?.includes("\r")) throw new HostError("E_CONNECTION_CONFIG", "ssh: no key found");
    const socket = hop.agentSocketPath ?? process.env.SSH_AUTH_SOCK;
    if (socket) await assertAgent(socket);
  }
}

function assertAgent(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => {
      socket.end();
      resolve();
    });
    socket.once("error", ({ message }) =>
      reject(new HostError("E_CONNECTION_CONFIG", `dial unix ${path}: ${message}`)),
    );
  });
}

/** Numbers arrive as such, absent fields as null. */
function connectionOf({ connection }: Bag): Bag {
  return withoutNulls((connection ?? {}) as Bag);
}

function withoutNulls(bag: Bag): Bag {
  const present = Object.entries(bag).filter(([, value]) => value !== null);
  return Object.fromEntries(
    present.map(([key, value]) => [key, typeof value === "object" ? withoutNulls(value as Bag) : value]),
  );
}
