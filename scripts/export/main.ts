import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import type { Command } from "../cli/command.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import type { Terminal } from "../cli/terminal.ts";
import { writeReportFile } from "../report/report-file.ts";
import { type DiskSource, discoverRegistries } from "../source/disk/registry.ts";
import { chooseRegistries } from "../store-check/choose-registries.ts";
import { type ExportArguments, exportHelp, parseExportArguments, type TaggedImage } from "./args.ts";
import { copyName, exportImage, type Outcome } from "./export-image.ts";
import { renderExportMetrics } from "./metrics.ts";

export const exportCommand: Command = {
  name: "export",
  summary: "copy images out of a registry's storage, to be had without the registry",
  help: exportHelp,
  run: async (argv, terminal) => {
    const options = parseExportArguments(argv);
    try {
      const outcomes = await exportAll(options, terminal);
      await putMetrics(options, outcomes.filter(({ state }) => state === "failed").length);
      return exitCodeOf(outcomes);
    } catch (error) {
      await putMetrics(options, options.images.length).catch((second: unknown) =>
        terminal.err(`${describeError(second)}\n`),
      );
      throw error;
    }
  },
};

async function exportAll(options: ExportArguments, terminal: Terminal): Promise<readonly Outcome[]> {
  const source = await findStore(options);
  const outcomes: Outcome[] = [];
  for (const image of options.images) {
    const outcome = await exportImage(source, image, options.target);
    outcomes.push(outcome);
    if (outcome.state === "copied") terminal.out(describeCopy(image, outcome, options.target));
    else terminal.err(describeFailure(image, outcome, options.target));
  }
  return outcomes;
}

/** Errors: E_STORE_NOT_FOUND, E_STORE_UNREADABLE; E_USAGE where it is not clear which registry is meant. */
async function findStore({ directory, registry }: ExportArguments): Promise<DiskSource> {
  const discovery = await discoverRegistries(directory);
  const registries = registry === undefined ? [] : [registry];
  const { sources, unreadable } = chooseRegistries(discovery, { authoritative: [], caches: [], registries });
  const [source, ...others] = sources;
  if (!source) {
    const faults = unreadable.map(({ fault: { location, reason } }) => `${location}: ${reason}`);
    throw new ProgramError("E_STORE_UNREADABLE", `Cannot read ${faults.join(", ")}.`);
  }
  if (others.length === 0) return source;
  const names = sources.map(({ name }) => name).join(", ");
  throw new ProgramError("E_USAGE", `${directory} has the registries ${names}: name one with --registry.`);
}

function exitCodeOf(outcomes: readonly Outcome[]): ExitCode {
  const faults = outcomes.flatMap((outcome) => (outcome.state === "failed" ? outcome.faults : []));
  if (faults.some(({ kind }) => kind === "unknown")) return exitCodes.couldNotCheck;
  return faults.length > 0 ? exitCodes.findings : exitCodes.clean;
}

function describeCopy(
  image: TaggedImage,
  { digest, files, linked, sizeBytes }: Extract<Outcome, { readonly state: "copied" }>,
  target: string,
): string {
  const { repository, tag } = image;
  const path = `${target}/${copyName(image)}`;
  return `${repository}:${tag} (${digest}) is copied to ${path}: ${files} files, ${sizeBytes} bytes, ${files - linked} files new\n`;
}

function describeFailure(
  image: TaggedImage,
  { faults, hasFormer }: Extract<Outcome, { readonly state: "failed" }>,
  target: string,
): string {
  const { repository, tag } = image;
  const former = hasFormer
    ? `The former copy stays: ${target}/${copyName(image)}`
    : "There is no former copy of it.";
  return [`${repository}:${tag} is not copied:`, ...faults.map(({ text }) => `  ${text}`), former, ""].join(
    "\n",
  );
}

async function putMetrics({ metricsPath, images }: ExportArguments, failed: number): Promise<void> {
  if (metricsPath === undefined) return;
  const text = await renderExportMetrics(metricsPath, { images: images.length, failed }, Date.now());
  await writeReportFile(metricsPath, text, "metrics");
}
