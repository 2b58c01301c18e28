import { pushJobs } from "../../contract/cluster-names.ts";
import { PushgatewayError, putGroup, readGroupGauge } from "../../scripts/report/pushgateway.ts";
import { postMessage, WebhookError } from "../../scripts/report/webhook.ts";
import type { ReportTargets } from "../args.ts";
import { driftMessage } from "./message.ts";
import { type DriftCheck, driftRecord, renderDriftMetrics } from "./record.ts";
import { totalOf, type Unmanaged, uncheckedKinds, unmanagedLines } from "./unmanaged.ts";

/** Exit code of the engine for changes where none were expected, and ours for drift. */
export const driftCode = 7;

export interface DriftReport extends ReportTargets {
  readonly stack: string;
  readonly check: DriftCheck;
  readonly unmanaged: Unmanaged;
  /** Whether what is not declared decides the exit code, and is in the message. */
  readonly countsUnmanaged: boolean;
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
  if (report.check.kind === "could-not-check") return 1;
  if (report.countsUnmanaged && totalOf(report.unmanaged) > 0) return driftCode;
  const isUnchecked = report.countsUnmanaged && uncheckedKinds(report.unmanaged).length > 0;
  return hasArrived && !isUnchecked ? 0 : 1;
}

/**
 * Returns when the drift that stands was first seen, 0 where that is not known.
 *
 * A gateway that cannot be read is not written to either: the time of before would be lost.
 */
async function push({ stack, check, unmanaged, pushgateway, nowSeconds }: DriftReport): Promise<number> {
  if (pushgateway === undefined) return 0;
  const key = [
    ["job", pushJobs.drift],
    ["stack", stack],
  ] as const;
  const earlier = (await readGroupGauge(pushgateway.href, key, "drift_stack_first_seen")) ?? 0;
  const record = driftRecord(check, earlier, nowSeconds);
  await putGroup(pushgateway.href, key, renderDriftMetrics(stack, record, unmanaged));
  return record.drift_stack_first_seen ?? 0;
}

async function notify(report: DriftReport, firstSeen: number) {
  const { stack, check, unmanaged, countsUnmanaged, notify: webhook, runUrl } = report;
  const undeclared = unmanagedLines(unmanaged, countsUnmanaged);
  const text = driftMessage(check, { stack, firstSeen, runUrl, undeclared });
  if (webhook !== undefined && text !== undefined) await postMessage(webhook.href, text);
}
