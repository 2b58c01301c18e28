import type { Terminal } from "../cli/terminal.ts";
import { type GroupingKey, PushgatewayError, putGroup } from "./pushgateway.ts";

/** One group of metrics, rendered. */
export interface MetricGroup {
  readonly key: GroupingKey;
  readonly text: string;
}

/**
 * Puts a run's metrics, where it has a Pushgateway; false when some did not arrive, after saying so. The run then counts
 * as one that could not check: no alert would fire from it.
 */
export async function pushMetrics(
  program: string,
  base: string | undefined,
  groups: readonly MetricGroup[],
  terminal: Terminal,
): Promise<boolean> {
  if (base === undefined) return true;
  const results = await Promise.all(groups.map(({ key, text }) => putOrFault(base, key, text)));
  const faults = new Set(results.filter((fault) => fault !== undefined));
  if (faults.size === 0) return true;
  terminal.err(
    `regwarden ${program}: the metrics could not be put, so no alert will fire: ${[...faults].join("; ")}.\n` +
      "What the run found stands all the same.\n",
  );
  return false;
}

async function putOrFault(base: string, key: GroupingKey, text: string): Promise<string | undefined> {
  try {
    await putGroup(base, key, text);
    return undefined;
  } catch (error) {
    if (error instanceof PushgatewayError) return error.message;
    throw error;
  }
}
