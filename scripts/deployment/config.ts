import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import type { Account } from "../http/exchange.ts";
import { isRepositoryName, isTag } from "../registry/reference.ts";

const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));

function isWebAddress(given: string): boolean {
  const url = URL.parse(given);
  return (
    (url?.protocol === "http:" || url?.protocol === "https:") && url.username === "" && url.password === ""
  );
}

const webAddress = v.pipe(
  text,
  v.check(isWebAddress, "must be an http or https address without an account in it"),
);

const registryAddress = v.pipe(
  webAddress,
  v.check((given) => {
    const url = URL.parse(given);
    return url === null || `${url.pathname}${url.search}${url.hash}` === "/";
  }, "must be like https://registry.example:5050, without a path"),
  v.transform((given) => URL.parse(given)?.origin ?? given),
);

const schema = v.strictObject({
  /** The authoritative registry, as its clients reach it. */
  private: v.strictObject({
    url: registryAddress,
    user: v.pipe(
      text,
      v.check((user) => !user.includes(":"), "must not contain a colon"),
    ),
    sentinel: v.strictObject({
      repository: v.pipe(text, v.check(isRepositoryName, "must be a repository's name")),
      tag: v.pipe(text, v.check(isTag, "must be a tag")),
    }),
  }),
  caches: v.array(v.strictObject({ name: text, url: registryAddress })),
  scanReport: v.strictObject({
    path: text,
    maximumAgeSeconds: v.pipe(
      v.number("must be a number"),
      v.integer("must be whole"),
      v.minValue(1, "must be at least 1"),
    ),
  }),
  ui: v.optional(v.strictObject({ url: webAddress })),
});

/** What is deployed, and therefore has to answer. Holds no secret. */
export type DeploymentConfig = v.InferOutput<typeof schema>;

/**
 * The deployment that a JSON file describes.
 *
 * Errors: E_CONFIGURATION when the file cannot be read or is not JSON, or with all of its faults at once.
 */
export async function readDeploymentConfig(path: string): Promise<DeploymentConfig> {
  const parsed = v.safeParse(schema, await readJson(path), { abortPipeEarly: true });
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map(
    (issue) => `\n  ${v.getDotPath(issue) ?? "(the whole file)"}: ${describeIssue(issue)}`,
  );
  throw new ProgramError("E_CONFIGURATION", `${path} is not a usable configuration:${faults.join("")}`);
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    const message = `Cannot use the configuration ${path}: ${describeError(cause)}.`;
    throw new ProgramError("E_CONFIGURATION", message, { cause });
  }
}

function describeIssue(issue: v.BaseIssue<unknown>): string {
  if (issue.type !== "strict_object") return `${issue.message}, got ${showValue(issue.input)}`;
  if (issue.expected === "never") return "is not known";
  return issue.received === "undefined" ? "is missing" : `must be an object, got ${issue.received}`;
}

/** As it stands in the file, but never with a password that somebody wrote into an address. */
function showValue(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").replace(/\/\/[^/]*@/g, "//***@");
}

/**
 * The registry's account, its password from the first line of standard input: arguments and environment are open to
 * every process of the machine.
 *
 * Errors: E_CONFIGURATION when no password comes.
 */
export async function readAccount(config: DeploymentConfig, terminal: Terminal): Promise<Account> {
  const password = await terminal.readLine();
  const { user } = config.private;
  if (password !== "") return { user, password };
  throw new ProgramError(
    "E_CONFIGURATION",
    `No password for ${user} on standard input. Pipe it in: its first line is taken.`,
  );
}
