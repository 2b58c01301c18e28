import { readFileSync, writeFileSync } from "node:fs";
import { reachableType } from "../contract/dns.ts";
import type { EngineArgs } from "./args.ts";
import { reportedChanges } from "./changes.ts";
import { commentBody, type PreviewResult, usualMaxBytes } from "./comment/body.ts";
import { commentOnPreview } from "./comment/comment-on.ts";
import { hideSecrets } from "./comment/hide-secrets.ts";
import { pullRequestOf } from "./comment/pull-request.ts";
import { deferredText } from "./deferred.ts";
import { openStack } from "./open-stack.ts";
import type { Run } from "./run.ts";
import { type Outcome, runPreview } from "./stack.ts";

/** Shows what an update would change, on the pull request and in a file too where that is asked for. Returns the exit code. */
export async function preview(run: Run, { comment, markdown, only }: EngineArgs): Promise<number> {
  const pullRequest = comment ? pullRequestOf(process.env, (path) => readFileSync(path, "utf8")) : undefined;
  // Before anything can fail: a table of an earlier preview would be taken for this one's.
  if (markdown !== undefined) writeFileSync(markdown, "");
  const { stack, project, display } = run;
  let isDeferred = false;
  const check = async () => {
    const open = await openStack(stack, "preview", project, display.writeError);
    const outcome = await runPreview(open, false, { ...run, only });
    display.writeError(deferredText(outcome.deferred));
    isDeferred = outcome.deferred.length > 0;
    return resultOf(outcome);
  };
  const { result, isCommented } =
    pullRequest === undefined
      ? { result: await check(), isCommented: true }
      : await commentOnPreview({ pullRequest, stack, environment: process.env, ...display }, check);
  if (markdown !== undefined && result.kind === "changes") writeFileSync(markdown, markdownOf(result, stack));
  return result.kind === "failed" || isDeferred || !isCommented ? 1 : 0;
}

function markdownOf(result: PreviewResult, stack: string): string {
  const facts = { stack, commit: undefined, runUrl: undefined, maxBytes: usualMaxBytes };
  return hideSecrets(commentBody(result, facts), process.env);
}

function resultOf(outcome: Outcome): PreviewResult {
  if (outcome.exitCode !== 0) return { kind: "failed", errors: outcome.errors };
  const changes = reportedChanges(outcome);
  // A host that could not be checked is no change; beside other changes its line stands among them.
  if (changes.length > 0 && changes.every(({ type }) => type === reachableType))
    return { kind: "failed", errors: [deferredText(outcome.deferred).trim()] };
  return changes.length === 0 ? { kind: "clean" } : { kind: "changes", changes };
}
