import { readFile } from "node:fs/promises";
import * as v from "valibot";
import type { DeploymentCheckConfig } from "../../../contract/deployment-check.ts";
import { severities } from "../../../contract/finding.ts";
import { units } from "../../../contract/host-names.ts";
import { scanReportSchema } from "../../../contract/scan-report.ts";
import { describeError } from "../../cli/errors.ts";
import { counted } from "../../report/phrases.ts";
import { type Check, check, type Observation } from "../check.ts";

/** A clock that is this much ahead is still taken for the same time. */
const toleratedSkewSeconds = 60;

const scanAgain = `run the scan and see its log: systemctl start ${units.scan}, journalctl --unit ${units.scan}.`;

const schema = v.object({
  schema: v.literal(scanReportSchema),
  finishedAt: v.pipe(v.string(), v.isoTimestamp()),
  complete: v.boolean(),
  findings: v.array(v.object({ severity: v.picklist(severities) })),
});

type Report = v.InferOutput<typeof schema>;

/** That the last scan is recent and checked everything. What it found is reported, but is no fault of the deployment. */
export async function checkScanReport(
  { path, maximumAgeSeconds }: DeploymentCheckConfig["scanReport"],
  now: number,
): Promise<readonly Check[]> {
  const expected = `a complete ${scanReportSchema} of at most ${maximumAgeSeconds} s`;
  const done = await check("the scan report is complete and fresh", expected, async () => {
    const report = await readReport(path);
    if (typeof report === "string") return { got: report, hint: scanAgain };
    return checkReport(report, (now - Date.parse(report.finishedAt)) / 1000, maximumAgeSeconds);
  });
  // No service was asked, so this says nothing on whether any answers.
  return [{ ...done, isReached: false }];
}

async function readReport(path: string): Promise<Report | string> {
  try {
    const parsed = v.safeParse(schema, JSON.parse(await readFile(path, "utf8")));
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    return `another document in ${path} (${v.getDotPath(issue) ?? "the document"}: ${issue.message})`;
  } catch (error) {
    return `none: ${describeError(error)}`;
  }
}

function checkReport(
  { complete, findings }: Report,
  ageSeconds: number,
  maximumAgeSeconds: number,
): Observation {
  const got = `one of ${Math.round(ageSeconds)} s, ${complete ? "complete" : "NOT complete"}`;
  const note = describeFindings(findings);
  if (ageSeconds > maximumAgeSeconds) return { got, note, hint: `it is too old: ${scanAgain}` };
  if (ageSeconds < -toleratedSkewSeconds)
    return { got, note, hint: "it is from the future: set the clocks right." };
  if (!complete) return { got, note, hint: `what could not be read is in its findings: ${scanAgain}` };
  return { got, note };
}

function describeFindings(findings: Report["findings"]): string | undefined {
  if (findings.length === 0) return undefined;
  const critical = findings.filter(({ severity }) => severity === "critical").length;
  return `the scan has ${counted(findings.length, "finding")}, ${critical} of them critical.`;
}
