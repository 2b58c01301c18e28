import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { Problem } from "../../contract/finding.ts";
import { type ProbeReport, probeReportSchema } from "../../contract/probe-report.ts";
import { sortFindings } from "../graph/findings.ts";
import { describeFindings } from "../report/describe-finding.ts";
import type { Tally } from "../source/http/registry.ts";
import type { ProbeSettings } from "./args.ts";
import type { ProbeResult } from "./probe-registry.ts";

/** Everything that a run saw. */
export interface Observations {
  readonly result: ProbeResult;
  readonly tally: Tally;
  readonly authenticationRequired: boolean | null;
  readonly certificateExpiry: Date | null;
  readonly finishedAt: Date;
  readonly durationSeconds: number;
}

/** Puts the report together. */
export function buildProbeReport(settings: ProbeSettings, seen: Observations): ProbeReport {
  const { result, tally, authenticationRequired } = seen;
  const { catalogueAccessible, sentinelPresent, findings } = result;
  const isAnswered = Object.values(tally.errors).every((count) => count === 0);
  return {
    schema: probeReportSchema,
    instance: settings.instance,
    shard: settings.shard ?? null,
    finishedAt: seen.finishedAt.toISOString(),
    durationSeconds: Math.round(seen.durationSeconds * 1000) / 1000,
    // Without its sentinel it was another registry that was checked.
    complete:
      catalogueAccessible && isAnswered && sentinelPresent !== false && !hasCheckedNothing(settings, result),
    catalogueAccessible,
    authenticationRequired,
    sentinelPresent,
    certificateExpiresAt: seen.certificateExpiry?.toISOString() ?? null,
    repositories: result.repositories,
    tags: result.tags,
    indexes: result.indexes,
    requests: tally.requests,
    errors: tally.errors,
    findings: describeFindings(sortFindings(findings), "registry"),
    problems: findProblems(settings, seen),
  };
}

/**
 * Whether there was no tag to check, and no sentinel that proves that this is right: an empty registry looks like another
 * one that answers in its place. A shard may have none where others have some.
 */
function hasCheckedNothing(
  { shard }: ProbeSettings,
  { catalogueAccessible, sentinelPresent, tags, findings }: ProbeResult,
): boolean {
  const isAlone = !shard || shard.count === 1;
  return catalogueAccessible && isAlone && sentinelPresent === null && tags === 0 && findings.length === 0;
}

function findProblems(
  settings: ProbeSettings,
  { result, authenticationRequired }: Observations,
): readonly Problem[] {
  const problems: Problem[] = [];
  if (authenticationRequired === false)
    problems.push({
      message: `${settings.origin} lets in clients without an account: everyone can pull, or another registry answers there.`,
      hint: "put auth.htpasswd back into the registry's configuration, or restart the proxy that keeps an old address.",
    });
  if (result.sentinelPresent === false)
    problems.push({
      message:
        `The sentinel ${settings.sentinel} is missing among the ${result.listed} repositories that ${settings.origin} ` +
        `lists: it may be another registry, so nothing is known about the right one.`,
      hint: "see that the proxy and the registry's storage are the right ones; only a new registry needs regwarden seed-sentinel.",
    });
  if (hasCheckedNothing(settings, result)) problems.push(nothingChecked(settings, result));
  return problems;
}

function nothingChecked({ origin }: ProbeSettings, { listed }: ProbeResult): Problem {
  const what = listed === 0 ? "lists no repositories" : `lists no tag in any of its ${listed} repositories`;
  return {
    message: `${origin} ${what}: it is empty, or another registry answers there. Nothing was checked.`,
    hint:
      "see that the URL, the proxy and the registry's storage are the right ones. For a new registry: regwarden " +
      "seed-sentinel gives it a repository that --sentinel can ask for.",
  };
}

/** The exit status that a report stands for. */
export function exitCodeOfProbe({ complete, findings, problems }: ProbeReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  return findings.length > 0 || problems.length > 0 ? exitCodes.findings : exitCodes.clean;
}
