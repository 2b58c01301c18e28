import { readFileSync, writeFileSync } from "node:fs";
import registryStack from "../index.ts";
import {
  type EngineArgs,
  parseEngineArgs,
  type ReportTargets,
  reportTargets,
  UsageError,
  usage,
} from "./args.ts";
import { ask } from "./ask.ts";
import { byResource, changeTable, isConnectionChange, type ResourceChange } from "./changes.ts";
import { commentBody, type PreviewResult, usualMaxBytes } from "./comment/body.ts";
import { commentOnPreview } from "./comment/comment-on.ts";
import { hideSecrets } from "./comment/hide-secrets.ts";
import { pullRequestOf } from "./comment/pull-request.ts";
import type { DriftCheck } from "./drift/record.ts";
import { driftCode, reportDrift } from "./drift/report.ts";
import { stackEnvironment } from "./environment.ts";
import { type Display, type Outcome, openStack, projectDirectory, runOperation } from "./stack.ts";
import { applyStackVariables } from "./stack-variables.ts";

const display: Display = {
  write: (text) => process.stdout.write(text),
  writeError: (text) => process.stderr.write(text),
  color: process.stdout.isTTY ? "always" : "never",
};

async function main(argv: readonly string[]): Promise<number> {
  const args = parseEngineArgs(argv);
  if (args === "help") {
    display.write(usage);
    return 0;
  }
  applyStackVariables(process.env);
  const { stack, variables } = stackEnvironment(projectDirectory, args.stack, process.env);
  // Into this process's own environment: the Automation API finds the CLI before it reads any other.
  Object.assign(process.env, variables);
  return args.operation === "drift"
    ? await drift(stack, reportTargets(args, process.env))
    : await operate(args, stack);
}

async function operate(args: EngineArgs, name: string): Promise<number> {
  if (args.operation === "preview") return await preview(args, name);
  const stack = await openStack(name, registryStack, display);
  if (!args.yes && args.operation !== "drift") {
    const asked = await ask(args.operation, name, async () => runOperation(stack, "preview", display));
    if (asked !== undefined) return asked;
  }
  const { exitCode } = await runOperation(stack, args.operation, display);
  return exitCode === 0 ? 0 : 1;
}

async function preview({ comment, markdown }: EngineArgs, stack: string): Promise<number> {
  const pullRequest = comment ? pullRequestOf(process.env, (path) => readFileSync(path, "utf8")) : undefined;
  // Before anything can fail: a table of an earlier preview would be taken for this one's.
  if (markdown !== undefined) writeFileSync(markdown, "");
  const run = async () =>
    resultOf(await runOperation(await openStack(stack, registryStack, display), "preview", display));
  const { result, isCommented } =
    pullRequest === undefined
      ? { result: await run(), isCommented: true }
      : await commentOnPreview({ pullRequest, stack, environment: process.env, ...display }, run);
  if (markdown !== undefined && result.kind === "changes") writeFileSync(markdown, markdownOf(result, stack));
  return result.kind === "failed" || !isCommented ? 1 : 0;
}

function markdownOf(result: PreviewResult, stack: string): string {
  const facts = { stack, commit: undefined, runUrl: undefined, maxBytes: usualMaxBytes };
  return hideSecrets(commentBody(result, facts), process.env);
}

function resultOf(outcome: Outcome): PreviewResult {
  if (outcome.exitCode !== 0) return { kind: "failed", errors: outcome.errors };
  const changes = resourcesOf(outcome);
  return changes.length === 0 ? { kind: "clean" } : { kind: "changes", changes };
}

async function drift(stack: string, targets: ReportTargets): Promise<number> {
  const check = await checkForDrift(stack);
  printCheck(stack, check);
  return await reportDrift({
    stack,
    check,
    ...targets,
    runUrl: process.env.CI_PIPELINE_URL,
    nowSeconds: Math.floor(Date.now() / 1000),
    warn: display.writeError,
  });
}

/** Whatever goes wrong, the run could not check, and is reported so. */
async function checkForDrift(name: string): Promise<DriftCheck> {
  try {
    const outcome = await runOperation(await openStack(name, registryStack, display), "drift", display);
    if (outcome.exitCode === 0) return { kind: "clean" };
    if (outcome.exitCode !== driftCode) return { kind: "could-not-check" };
    const changes = resourcesOf(outcome);
    const isConnectionOnly = changes.length === 0 && outcome.changes.length > 0;
    return isConnectionOnly ? { kind: "clean" } : { kind: "drift", changes };
  } catch (error) {
    display.writeError(`${messageOf(error)}\n`);
    return { kind: "could-not-check" };
  }
}

function printCheck(stack: string, check: DriftCheck): void {
  if (check.kind === "clean") display.write(`\nStack ${stack}: no drift.\n`);
  else if (check.kind === "could-not-check")
    display.writeError(`\nStack ${stack}: could not check, see above.\n`);
  else {
    display.write(`\nStack ${stack} differs from its program in ${check.changes.length} resource(s):\n`);
    display.write(
      `${changeTable(check.changes)}\nWhat is declared comes back with \`npm run up\` for this stack.\n`,
    );
  }
}

function resourcesOf({ changes }: Outcome): readonly ResourceChange[] {
  return byResource(changes.filter((change) => !isConnectionChange(change)));
}

function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (!text.includes("pulumi version")) return text;
  return "The Pulumi CLI is not on this machine and could not be downloaded. Install the version that package.json pins, or run `npm run lab`, which finds or builds it.";
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  display.writeError(`${messageOf(error)}\n${isUsage ? `\n${usage}` : ""}`);
  process.exitCode = isUsage ? 2 : 1;
}
