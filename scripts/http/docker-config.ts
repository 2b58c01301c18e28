import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import type { Account } from "./exchange.ts";

/** Accounts by the registry's host, as `docker login` leaves them. */
export interface DockerConfig {
  /** Errors: E_CONFIGURATION when the account of this host is a token, or its helper program does not give it. */
  readonly accountOf: (host: string) => Promise<Account | undefined>;
}

const entrySchema = v.object({
  auth: v.optional(v.string()),
  username: v.optional(v.string()),
  password: v.optional(v.string()),
  identitytoken: v.optional(v.string()),
});
const schema = v.object({
  auths: v.optional(v.record(v.string(), entrySchema), {}),
  credHelpers: v.optional(v.record(v.string(), v.string()), {}),
  credsStore: v.optional(v.string()),
});
type Entry = v.InferOutput<typeof entrySchema>;

/**
 * The accounts of a Docker `config.json`; none when there is no such file. No message repeats anything of it; what
 * cannot be taken from it is to be given by the environment's `variables`.
 *
 * Errors: E_CONFIGURATION when it cannot be read or is none.
 * Source: docker/cli, cli/config/configfile/file.go and types/authconfig.go.
 */
export async function readDockerConfig(
  path: string,
  variables = "REG_USER and REG_PASS",
): Promise<DockerConfig> {
  const { auths, credHelpers, credsStore } = await parse(path);
  const entries = new Map(Object.entries(auths).map(([key, entry]) => [hostOf(key), entry]));
  const helpers = new Map(Object.entries(credHelpers));
  const accountOf = async (host: string): Promise<Account | undefined> => {
    const source = { path, host, variables };
    const entry = entries.get(host);
    const helper = helpers.get(host);
    if (helper !== undefined) return keptAccount(helper, source, true);
    if (entry && hasAccount(entry)) return toAccount(entry, source);
    // A login leaves an entry without an account when the program for all hosts took it.
    return credsStore ? keptAccount(credsStore, source, entry !== undefined) : undefined;
  };
  return { accountOf };
}

/** `isExpected`: whether the file says that the program has an account for this host. */
async function keptAccount(
  helper: string,
  source: AccountSource,
  isExpected: boolean,
): Promise<Account | undefined> {
  const answer = await askCredentialHelper(helper, source.host);
  if (answer.state === "account") return answer.account;
  if (answer.state === "none") return undefined;
  if (answer.state === "notInstalled" && !isExpected) return undefined;
  const reason = answer.state === "failed" ? answer.reason : "is not on the PATH";
  throw unusable(source, `is kept by the program docker-credential-${helper}, which ${reason}`);
}

async function parse(path: string): Promise<v.InferOutput<typeof schema>> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { auths: {}, credHelpers: {} };
    throw new ProgramError("E_CONFIGURATION", `${path} cannot be read: ${describeError(error)}.`);
  }
  try {
    const document: unknown = JSON.parse(text);
    return v.parse(schema, Array.isArray(document) ? undefined : document);
  } catch {
    throw new ProgramError("E_CONFIGURATION", `${path} is no configuration of Docker.`);
  }
}

/** Keys are hosts, or addresses such as `https://index.docker.io/v1/`. */
function hostOf(key: string): string {
  const host = key.replace(/^https?:\/\//, "").replace(/\/(v1|v2)?\/?$/, "");
  return host === "index.docker.io" ? "docker.io" : host;
}

function hasAccount({ auth, username, identitytoken }: Entry): boolean {
  return [auth, username, identitytoken].some((text) => text !== undefined && text !== "");
}

function toAccount(entry: Entry, source: AccountSource): Account | undefined {
  if (entry.identitytoken) throw unusable(source, "is a token, and not user and password");
  if (entry.username && entry.password !== undefined)
    return { user: entry.username, password: entry.password };
  if (!entry.auth) return undefined;
  const text = Buffer.from(entry.auth, "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 1) throw unusable(source, "is not USER:PASSWORD in base64");
  // Docker's own reader cuts trailing zero bytes, which some writers leave.
  return { user: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

/** Where an account is, and where it can be given instead. */
interface AccountSource {
  readonly path: string;
  readonly host: string;
  readonly variables: string;
}

function unusable({ path, host, variables }: AccountSource, what: string): ProgramError {
  return new ProgramError(
    "E_CONFIGURATION",
    `The account for ${host} in ${path} ${what}. Give it as ${variables} instead.`,
  );
}
