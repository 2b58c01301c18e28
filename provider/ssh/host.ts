import { setTimeout as delay } from "node:timers/promises";
import pLimit from "p-limit";
import type { Client, ClientChannel } from "ssh2";
import { HostError } from "../errors.ts";
import type { Connection } from "./connection-config.ts";
import { dial, nameOf } from "./dial.ts";

/** What a command on the host left behind. */
export interface RemoteResult {
  readonly exitCode: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  /** Sent to the command's standard input, which is then closed. */
  readonly stdin?: Buffer | string;
  /** For messages: what was being done, as in `write /etc/motd`. */
  readonly action: string;
}

/** Below sshd's default for MaxSessions, 10: a session that is just closing still counts there. */
const channelsAtOnce = 6;
/** How often and after which pause a channel is asked for again that sshd refused: nothing has run on it yet. */
const channelAttempts = 50;
const channelPauseMilliseconds = 100;

/**
 * One host over one SSH connection, dialled when it is first needed and shared by all that follows. Any account but root
 * becomes root by `sudo -n`. Scripts travel as arguments, contents by standard input only: nothing secret ever shows
 * in a process list.
 */
export class SshHost {
  readonly #connection: Connection;
  readonly #limit = pLimit(channelsAtOnce);
  #client: Promise<Client> | undefined;
  #hasReportedFailure = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** `USER@HOST:PORT`, for messages. */
  get name(): string {
    return nameOf(this.#connection);
  }

  /**
   * Runs a POSIX shell script with positional arguments as root.
   *
   * Errors: E_HOST_* when it cannot be reached, E_HOST_LOST when the connection ends before the script, E_REMOTE
   * when the script fails.
   */
  async run(script: string, args: readonly string[], options: RunOptions): Promise<RemoteResult> {
    const prefix = this.#connection.user === "root" ? [] : ["sudo", "-n", "--"];
    const result = await this.execute(commandLine(script, args, prefix), options);
    if (result.exitCode !== 0) throw this.#failure(result, options.action);
    return result;
  }

  /** Runs a POSIX shell script as the account itself, whatever its exit code. Errors: E_HOST_* as for {@link run}. */
  async executeScript(script: string, args: readonly string[], options: RunOptions): Promise<RemoteResult> {
    return await this.execute(commandLine(script, args, []), options);
  }

  /** Runs one command line in the account's own shell, whatever its exit code. Errors: E_HOST_* as for {@link run}. */
  async execute(command: string, options: RunOptions): Promise<RemoteResult> {
    return await this.#limit(async () => this.#execute(await this.#connect(), command, options));
  }

  /** The same host over a connection of its own, which the caller closes. */
  anew(): SshHost {
    return new SshHost(this.#connection);
  }

  /** Forgets that the host could not be reached: the next command dials again. */
  async retry(): Promise<void> {
    await this.#client?.catch(() => {
      this.#client = undefined;
    });
    this.#hasReportedFailure = false;
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined);
    this.#client = undefined;
    client?.end();
  }

  #failure(result: RemoteResult, action: string): HostError {
    const said = result.stderr.trim() || result.stdout.toString("utf8").trim().slice(-2000) || "no message";
    const hint = /^sudo: .*password/m.test(said)
      ? ` The account needs passwordless sudo (NOPASSWD in sudoers), or connect as root.`
      : "";
    return new HostError(
      "E_REMOTE",
      `${this.name}: ${action} failed (exit ${result.exitCode}): ${said}${hint}`,
    );
  }

  /**
   * A host that could not be reached or refused us is not asked again: its answer holds for all that follows, and is
   * reported in full once.
   */
  async #connect(): Promise<Client> {
    this.#client ??= this.#dial();
    try {
      return await this.#client;
    } catch (error) {
      if (!(error instanceof HostError) || !this.#hasReportedFailure) {
        this.#hasReportedFailure = true;
        throw error;
      }
      throw new HostError(error.code, `${this.name}: not asked: another message of this run says why.`, {
        cause: error,
      });
    }
  }

  async #dial(): Promise<Client> {
    for (let attempt = 1; ; attempt++) {
      try {
        const client = await dial(this.#connection);
        client.once("close", () => {
          this.#client = undefined;
        });
        return client;
      } catch (error) {
        const isLast = attempt >= this.#connection.dialErrorLimit;
        if (isLast || !(error instanceof HostError) || error.code !== "E_HOST_UNREACHABLE") throw error;
        await delay(Math.min(1000 * 2 ** (attempt - 1), 5000));
      }
    }
  }

  async #execute(client: Client, command: string, options: RunOptions): Promise<RemoteResult> {
    const connectionLost = (cause: unknown) =>
      new HostError(
        "E_HOST_LOST",
        `${this.name}: the connection ended during: ${options.action}. Run it again.`,
        {
          cause,
        },
      );
    const { promise: closed, reject: rejectClosed } = Promise.withResolvers<never>();
    client.once("close", rejectClosed);
    try {
      const result = await Promise.race([closed, runCommand(client, command, options.stdin)]);
      if (result) return result;
    } catch (error) {
      throw connectionLost(error);
    } finally {
      client.off("close", rejectClosed);
      closed.catch(() => {});
    }
    throw connectionLost(undefined);
  }
}

/** Opens a channel, again where sshd has none free, and runs the command on it. */
async function runCommand(
  client: Client,
  command: string,
  stdin: Buffer | string | undefined,
): Promise<RemoteResult | undefined> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await new Promise((resolve, reject) => {
        // Listened to at once: a short command has ended by the next turn.
        client.exec(command, (error, channel) => (error ? reject(error) : resolve(collect(channel, stdin))));
      });
    } catch (error) {
      const isRefused = error instanceof Error && error.message.includes("Channel open failure");
      if (!isRefused || attempt >= channelAttempts) throw error;
      await delay(channelPauseMilliseconds);
    }
  }
}

/** Resolves with undefined when the channel closed without an exit code: the connection went away. */
function collect(
  channel: ClientChannel,
  stdin: Buffer | string | undefined,
): Promise<RemoteResult | undefined> {
  return new Promise((resolve, reject) => {
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    let exitCode: number | undefined;
    channel.on("data", (chunk: Buffer) => stdout.push(chunk));
    channel.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    channel.on("exit", (code: number | null, signal?: string) => {
      exitCode = code ?? (signal === undefined ? undefined : 128);
    });
    channel.on("error", reject);
    channel.on("close", () =>
      resolve(
        exitCode === undefined
          ? undefined
          : { exitCode, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString("utf8") },
      ),
    );
    channel.end(stdin);
  });
}

function commandLine(script: string, args: readonly string[], prefix: readonly string[]): string {
  return [...prefix, "sh", "-c", script, "regwarden", ...args].map(quote).join(" ");
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
