import { parseDuration, type RetentionRules } from "../../contract/retention-rules.ts";
import { lastPulls } from "../access-log/last-pulls.ts";
import { readInUseList } from "../in-use-list/read-in-use.ts";
import type { PlanArguments } from "./args.ts";
import { ignoredAgents } from "./decide.ts";
import type { Evidence } from "./evidence.ts";
import type { Stores } from "./find-stores.ts";

/** What the rules go by, beside the tags: read only where a rule needs it. Errors: none, see `conditions.ts`. */
export async function readEvidence(
  { rules, ignoreAgents }: RetentionRules,
  options: PlanArguments,
  { dataDirectoryOf }: Stores,
  now: number,
): Promise<Evidence> {
  const { inUse, instances, inUseMaxAgeMs: maxAgeMs, accessLogs } = options;
  const windows = rules.flatMap(({ keep: { all = [], ...keep } }) =>
    [keep, ...all].flatMap(({ pulledWithin }) => parseDuration(pulledWithin ?? "") ?? []),
  );
  const isRead = windows.length > 0 && accessLogs.length > 0;
  return {
    now,
    inUse: inUse && (await readInUseList(inUse, dataDirectoryOf, { instances, now, maxAgeMs })),
    pulls: isRead
      ? await lastPulls(accessLogs, now - Math.max(...windows), ignoredAgents(ignoreAgents))
      : undefined,
  };
}
