import { messageOf } from "../../provider/errors.ts";
import { type CommentFacts, commentBody, type PreviewResult } from "./body.ts";
import { ForgeError } from "./client.ts";
import { hideSecrets } from "./hide-secrets.ts";
import { marker } from "./marker.ts";
import { postComment } from "./post.ts";
import type { PullRequest } from "./pull-request.ts";

/** What a comment is made of, and where it goes. */
export interface CommentRun {
  readonly pullRequest: PullRequest;
  readonly stack: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
}

/**
 * Runs a preview and makes the pull request say what came of it, also when it failed. Returns the result, and whether
 * the pull request says it.
 *
 * Errors: what the preview throws, after the comment was made.
 */
export async function commentOnPreview(
  run: CommentRun,
  preview: () => Promise<PreviewResult>,
): Promise<{ readonly result: PreviewResult; readonly isCommented: boolean }> {
  try {
    const result = await preview();
    return { result, isCommented: await comment(run, result) };
  } catch (error) {
    await comment(run, { kind: "failed", errors: [messageOf(error)] });
    throw error;
  }
}

async function comment(run: CommentRun, result: PreviewResult): Promise<boolean> {
  const { forge, token, commit, runUrl } = run.pullRequest;
  const facts: CommentFacts = { stack: run.stack, commit, runUrl, maxBytes: forge.maxCommentBytes };
  const body = hideSecrets(commentBody(result, facts), { ...run.environment, token });
  try {
    const isNews = result.kind !== "clean";
    const posted = await postComment(forge, token, { marker: marker(run.stack), body, isNews });
    run.write(`\nComment on the pull request: ${posted}.\n`);
    return true;
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    const text = hideSecrets(error.message, { token });
    run.writeError(`\nThe pull request does not say what the preview found: ${text}.\n`);
    return false;
  }
}
