import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { describeError, ProgramError, systemCode } from "../cli/errors.ts";
import type { Account } from "./exchange.ts";

/** Accounts by the registry's host, as `docker login` leaves them. */
export interface DockerConfig {
  /** Errors: E_CONFIGURATION when the account of this host is kept by a helper program, or is only a token. */
  readonly accountOf: (host: string) => Account | undefined;
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
  const accountOf = (host: string): Account | undefined => {
    const entry = entries.get(host);
    const helper = helpers.get(host) ?? (entry && !hasAccount(entry) ? credsStore : undefined);
    if (helper !== undefined)
      throw unusable(
        { path, host, variables },
        `is kept by the program docker-credential-${helper}, which is not asked`,
      );
    return entry && toAccount(entry, { path, host, variables });
  };
  return { accountOf };
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

function toAccount(entry: Entry, location: Place): Account | undefined {
  if (entry.identitytoken) throw unusable(location, "is a token, and not user and password");
  if (entry.username && entry.password !== undefined)
    return { user: entry.username, password: entry.password };
  if (!entry.auth) return undefined;
  const text = Buffer.from(entry.auth, "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 1) throw unusable(location, "is not USER:PASSWORD in base64");
  // Docker's own reader cuts trailing zero bytes, which some writers leave.
  return { user: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, "") };
}

/** Where an account is, and where it can be given instead. */
interface Place {
  readonly path: string;
  readonly host: string;
  readonly variables: string;
}

function unusable({ path, host, variables }: Place, what: string): ProgramError {
  return new ProgramError(
    "E_CONFIGURATION",
    `The account for ${host} in ${path} ${what}. Give it as ${variables} instead.`,
  );
}
