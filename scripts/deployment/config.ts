import { readFile } from "node:fs/promises";
import * as v from "valibot";
import { type DeploymentCheckConfig, deploymentCheckSchema } from "../../contract/deployment-check.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import type { Account } from "../http/exchange.ts";
import { isRepositoryName } from "../registry/reference.ts";
import { isTagName } from "../registry/tag.ts";

const { private: own } = deploymentCheckSchema.entries;
const { repository, tag } = own.entries.sentinel.entries;

/** The contract's, and the grammar of names, which the programs know. */
const schema = v.strictObject({
  ...deploymentCheckSchema.entries,
  private: v.strictObject({
    ...own.entries,
    sentinel: v.strictObject({
      repository: v.pipe(repository, v.check(isRepositoryName, "must be a repository's name")),
      tag: v.pipe(tag, v.check(isTagName, "must be a tag")),
    }),
  }),
});

/**
 * The deployment that a JSON file describes.
 *
 * Errors: E_CONFIGURATION when the file cannot be read or is not JSON, or with all of its faults at once.
 */
export async function readDeploymentConfig(path: string): Promise<DeploymentCheckConfig> {
  const parsed = v.safeParse(schema, await readJson(path), { abortPipeEarly: true });
  if (parsed.success) return parsed.output;
  const faults = parsed.issues.map(
    (issue) => `\n  ${v.getDotPath(issue) ?? "(the file)"}: ${describeIssue(issue)}`,
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

/** As it stands in the file, but never with a password that was written into an address. */
function showValue(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").replace(/\/\/[^/]*@/g, "//***@");
}

/**
 * The registry's account, its password from the first line of standard input: arguments and environment are open to
 * every process of the machine.
 *
 * Errors: E_CONFIGURATION when no password comes.
 */
export async function readAccount(config: DeploymentCheckConfig, terminal: Terminal): Promise<Account> {
  const password = await terminal.readLine();
  const { user } = config.private;
  if (password !== "") return { user, password };
  throw new ProgramError(
    "E_CONFIGURATION",
    `No password for ${user} on standard input. Pipe it in: its first line is taken.`,
  );
}
