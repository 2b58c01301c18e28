import { type ChildProcess, execFile } from "node:child_process";
import * as v from "valibot";
import { systemCode } from "../cli/errors.ts";
import type { Account } from "./exchange.ts";

/** What a program that keeps accounts gave. No reason repeats anything that it printed: that may be a secret. */
export type HelperAnswer =
  | { readonly state: "account"; readonly account: Account }
  /** It keeps no account for this host. */
  | { readonly state: "none" }
  | { readonly state: "notInstalled" }
  | { readonly state: "failed"; readonly reason: string };

/** Some helpers fetch a token over the network first. */
const timeoutSeconds = 30;

/** By the protocol the one message that is no failure. */
const notFound = "credentials not found in native keychain";

const schema = v.object({ Username: v.pipe(v.string(), v.nonEmpty()), Secret: v.string() });

/**
 * Asks `docker-credential-NAME`, a program on PATH, for the account of a registry.
 *
 * Source: docker/docker-credential-helpers, README ("Development") and client/client.go; docker/cli,
 * cli/config/credentials/native_store.go.
 */
export async function askCredentialHelper(name: string, host: string): Promise<HelperAnswer> {
  if (!/^[\w.-]+$/.test(name)) return { state: "failed", reason: "has a name that no program can have" };
  const { error, stdout, child } = await run(`docker-credential-${name}`, serverOf(host));
  if (systemCode(error) === "ENOENT") return { state: "notInstalled" };
  if (stdout.trim() === notFound) return { state: "none" };
  if (error) return { state: "failed", reason: describeEnd(child) };
  return toAnswer(stdout);
}

/** Docker Hub's accounts are kept under an address of old. */
function serverOf(host: string): string {
  return host === "docker.io" ? "https://index.docker.io/v1/" : host;
}

function run(program: string, input: string) {
  return new Promise<{ error: Error | null; stdout: string; child: ChildProcess }>((resolve) => {
    const limits = { timeout: timeoutSeconds * 1000, maxBuffer: 1024 * 1024 };
    const child = execFile(program, ["get"], limits, (error, stdout) => resolve({ error, stdout, child }));
    // A program that reads nothing, or does not exist, has no open input.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
  });
}

function describeEnd({ exitCode, signalCode, killed }: ChildProcess): string {
  if (killed) return `gives no answer within ${timeoutSeconds} s`;
  return signalCode === null ? `ends with status ${exitCode}` : `is ended by ${signalCode}`;
}

function toAnswer(stdout: string): HelperAnswer {
  try {
    const { Username: user, Secret: password } = v.parse(schema, JSON.parse(stdout));
    if (user === "<token>") return { state: "failed", reason: "gives a token, and not user and password" };
    return { state: "account", account: { user, password } };
  } catch {
    return { state: "failed", reason: "gives something else than an account" };
  }
}
