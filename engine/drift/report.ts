import { pushJobs } from "../../contract/cluster-names.ts";
import { PushgatewayError, putGroup, readGroupGauge } from "../../scripts/report/pushgateway.ts";
import { postMessage, WebhookError } from "../../scripts/report/webhook.ts";
import type { ReportTargets } from "../args.ts";
import { driftMessage } from "./message.ts";
import { type DriftCheck, driftRecord, renderDriftMetrics } from "./record.ts";

/** Exit code of the engine for changes where none were expected, and ours for drift. */
export const driftCode = 7;

export interface DriftReport extends ReportTargets {
  readonly stack: string;
  readonly check: DriftCheck;
  readonly runUrl: string | undefined;
  readonly nowSeconds: number;
  readonly warn: (text: string) => void;
}

/**
 * Reports what the run found to the Pushgateway and the webhook, and returns the exit code.
 *
 * A report that does not arrive makes a clean run fail; drift keeps its own code, which says more.
 */
export async function reportDrift(report: DriftReport): Promise<number> {
  let hasArrived = true;
  const orWarn = (error: unknown): undefined => {
    hasArrived = false;
    if (!(error instanceof PushgatewayError || error instanceof WebhookError)) throw error;
    report.warn(`The drift run could not report: ${error.message}.\n`);
  };
  const firstSeen = await push(report).catch(orWarn);
  await notify(report, firstSeen ?? 0).catch(orWarn);
  if (report.check.kind === "drift") return driftCode;
  return report.check.kind === "clean" && hasArrived ? 0 : 1;
}

/**
 * Returns when the drift that stands was first seen, 0 where that is not known.
 *
 * A gateway that cannot be read is not written to either: the time of before would be lost.
 */
async function push({ stack, check, pushgateway, nowSeconds }: DriftReport): Promise<number> {
  if (pushgateway === undefined) return 0;
  const key = [
    ["job", pushJobs.drift],
    ["stack", stack],
  ] as const;
  const earlier = (await readGroupGauge(pushgateway.href, key, "drift_stack_first_seen")) ?? 0;
  const record = driftRecord(check, earlier, nowSeconds);
  await putGroup(pushgateway.href, key, renderDriftMetrics(stack, record));
  return record.drift_stack_first_seen ?? 0;
}

async function notify({ stack, check, notify: webhook, runUrl }: DriftReport, firstSeen: number) {
  const text = driftMessage(check, { stack, firstSeen, runUrl });
  if (webhook !== undefined && text !== undefined) await postMessage(webhook.href, text);
}
