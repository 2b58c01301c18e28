import type { Finding } from "../../contract/finding.ts";
import type { VerifiedImage, VerifyReport } from "../../contract/verify-report.ts";
import { isAbout } from "./text.ts";

/**
 * The report as CI systems show tests: a suite for each reference, in it a case for each of its images and one for all
 * the rest. What could not be checked is an error, anything else that is wrong a failure.
 *
 * Source: the schema of Jenkins' xUnit plugin, junit-10.xsd.
 */
export function renderJunit({ images, durationSeconds }: VerifyReport): string {
  const suites = images.map((image) => renderSuite(image)).join("");
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="regwarden verify" time="${durationSeconds}">\n${suites}</testsuites>\n`;
}

interface Case {
  readonly name: string;
  readonly findings: readonly Finding[];
}

function renderSuite(image: VerifiedImage): string {
  const cases = toCases(image);
  const bad = cases.filter(({ findings }) => findings.length > 0).length;
  const errors = cases.filter(({ findings }) => findings.some(isError)).length;
  const counts = `tests="${cases.length}" failures="${bad - errors}" errors="${errors}"`;
  const body = cases.map((one) => renderCase(image.reference, one)).join("");
  return `  <testsuite name="${xml(image.reference)}" ${counts}>\n${body}  </testsuite>\n`;
}

function toCases({ platforms, findings }: VerifiedImage): readonly Case[] {
  const cases = platforms.map((platform) => ({
    name: `${platform.isAttestation ? "attestation" : (platform.platform ?? "image")} ${platform.digest}`,
    findings: findings.filter((finding) => isAbout(finding, platform)),
  }));
  const reported = new Set(cases.flatMap((one) => one.findings));
  const rest = findings.filter((finding) => !reported.has(finding));
  return [{ name: "the reference itself, what it offers, and what is about it", findings: rest }, ...cases];
}

/** One entry a case, as many readers take no more: of the first fault's kind, with the texts of all. */
function renderCase(suite: string, { name, findings }: Case): string {
  const head = `    <testcase classname="${xml(suite)}" name="${xml(name)}"`;
  const [first] = [...findings].sort((a, b) => Number(isError(b)) - Number(isError(a)));
  if (!first) return `${head}/>\n`;
  const element = isError(first) ? "error" : "failure";
  const text = findings
    .map(({ severity, message, hint }) => `${severity}: ${message}\nhint: ${hint}`)
    .join("\n");
  const fault = `<${element} type="${xml(first.cause)}" message="${xml(first.message)}">${xml(text)}</${element}>`;
  return `${head}>${fault}</testcase>\n`;
}

function isError({ cause }: Finding): boolean {
  return cause === "unreadable";
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

function xml(text: string): string {
  // Control characters are not allowed in XML, not even escaped.
  const allowed = [...text].filter((letter) => letter >= " " || letter === "\n").join("");
  return allowed.replaceAll(/[&<>"\n]/g, (letter) => entities[letter] ?? letter);
}
