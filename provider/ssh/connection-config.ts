import * as v from "valibot";
import { HostError } from "../errors.ts";

/** One SSH connection, to the host or to the one before it. */
export interface Hop {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly privateKey?: string | undefined;
  readonly privateKeyPassword?: string | undefined;
  readonly agentSocketPath?: string | undefined;
  readonly hostKey: string;
  readonly dialErrorLimit: number;
  readonly perDialTimeout: number;
}

/** A checked connection: the plain form of `ConnectionArgs` in resources.ts, with its defaults. */
export interface Connection extends Hop {
  /** The host from which this one is reached. */
  readonly proxy?: Hop | undefined;
}

/** A host key as in a known_hosts entry. */
export interface HostKey {
  /** For example `ssh-ed25519`. */
  readonly type: string;
  readonly base64: string;
}

const hop = {
  host: v.pipe(v.string(), v.nonEmpty("must name the host")),
  port: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)), 22),
  user: v.optional(v.pipe(v.string(), v.nonEmpty("must name an account")), "root"),
  privateKey: v.optional(v.string()),
  privateKeyPassword: v.optional(v.string()),
  agentSocketPath: v.optional(v.string()),
  hostKey: v.pipe(
    v.string("is required: nothing is sent to a host whose key is not known"),
    v.regex(/^\S+ [A-Za-z0-9+/]+=*( .*)?\s*$/, "must be TYPE and BASE64, as in `ssh-ed25519 AAAA...`"),
    v.check(
      (key) => !key.startsWith("ssh-rsa "),
      "must not be of type ssh-rsa: take the ssh-ed25519 or ecdsa key, one of which every sshd makes for itself",
    ),
  ),
  dialErrorLimit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 10),
  perDialTimeout: v.optional(v.pipe(v.number(), v.minValue(1)), 15),
};

const schema = v.strictObject({ ...hop, proxy: v.optional(v.strictObject(hop)) });

/**
 * Faults of a connection, as `connection.FIELD: rule`. Values are never repeated: some of them are secrets.
 */
export function connectionFaults(raw: unknown): string[] {
  const result = v.safeParse(schema, raw);
  if (result.success) return [];
  return result.issues.map((issue) => `connection.${v.getDotPath(issue) ?? "?"}: ${rule(issue)}`);
}

/** Errors: throws E_CONNECTION_CONFIG with all faults. */
export function parseConnection(raw: unknown): Connection {
  const faults = connectionFaults(raw);
  if (faults.length > 0)
    throw new HostError("E_CONNECTION_CONFIG", `The host's connection: ${faults.join("; ")}`);
  return v.parse(schema, raw);
}

export function parseHostKey(text: string): HostKey {
  const [type = "", base64 = ""] = text.trim().split(/\s+/);
  return { type, base64 };
}

function rule(issue: v.BaseIssue<unknown>): string {
  if (issue.received === "undefined") return "is required";
  return issue.type === "strict_object" ? "is not a field of a connection" : issue.message;
}
