import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Adds up vitest's JSON reports of a folder and prints one plain line; fails when there is none or a test was skipped. */
const directory = process.argv[2] ?? ".";
const reports = readdirSync(directory).map(
  (name) => JSON.parse(readFileSync(join(directory, name), "utf8")) as Record<string, number>,
);
const sum = (field: string) => reports.reduce((total, report) => total + (report[field] ?? 0), 0);
const skipped = sum("numPendingTests") + sum("numTodoTests");
const failedFiles = sum("numFailedTestSuites");
console.log(
  `${sum("numPassedTests")} passed, ${sum("numFailedTests")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
);
if (reports.length === 0 || sum("numFailedTests") > 0 || failedFiles > 0) process.exitCode = 1;
