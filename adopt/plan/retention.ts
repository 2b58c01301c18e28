import type { HarmfulLine } from "./jobs.ts";

/** What cleanup-tags.sh keeps of each repository without an argument. */
const formerDefault = 10;

/**
 * What the former job did with tags, as rules of the stack's own retention: lines for the configuration file, all of
 * them comments. None where there was no such job. Rules remove by a decision of the operator's alone, and the former
 * ones went by the time of a tag's first push.
 */
export function retentionSuggestion(jobs: readonly HarmfulLine[]): string[] {
  const job = jobs.find(({ line }) => line.includes("cleanup-tags.sh"));
  if (job === undefined) return [];
  const keep = Number(/cleanup-tags\.sh\S*\s+(\d+)/.exec(job.line)?.[1] ?? formerDefault);
  return [
    "What cleanup-tags.sh was for, as rules; until they stand here every tag stays. It kept this many tags of each",
    "repository by the time of their FIRST push, and nothing of it in caches is needed: their content comes and goes.",
    "With mode: plan nothing is removed: read the plan (journalctl --unit regwarden-retain, and --unit",
    "regwarden-collect for what no tag needs any more), then write mode: apply.",
    "regwarden:retention:",
    "  mode: plan",
    "  rules:",
    '    - repositories: ["**"]',
    `      keep: { newest: ${keep}, tags: [latest] }`,
    "regwarden:collection:",
    "  mode: plan",
  ];
}
