import { writeFile } from "node:fs/promises";
import { type ExitCode, exitCodes } from "../../contract/exit-codes.ts";
import { type VerifyReport, verifyReportSchema } from "../../contract/verify-report.ts";
import type { Command } from "../cli/command.ts";
import { describeError, ProgramError } from "../cli/errors.ts";
import { requirePrivacy } from "../cli/options/account.ts";
import type { Terminal } from "../cli/terminal.ts";
import { readDockerConfig } from "../http/docker-config.ts";
import type { Account } from "../http/exchange.ts";
import { originOf } from "../http/origin.ts";
import { memoize } from "../source/http/memoize.ts";
import { type HttpRegistry, httpRegistry, sumTallies } from "../source/http/registry.ts";
import { parseVerifyArguments, type Target, type VerifySettings, verifyHelp } from "./args.ts";
import { checkUntilComplete, type Round } from "./check-until-complete.ts";
import { renderJunit } from "./junit.ts";
import { renderVerifyReport } from "./text.ts";
import { verifyImage } from "./verify-images.ts";

export const verifyCommand: Command = {
  name: "verify",
  summary: "ask a registry whether images that were just pushed are complete",
  help: verifyHelp,
  run: async (argv, terminal) => {
    const settings = parseVerifyArguments(argv);
    const report = await verify(settings, terminal);
    if (settings.junit !== undefined) await writeJunit(settings.junit, report);
    terminal.out(settings.json ? `${JSON.stringify(report, null, 2)}\n` : renderVerifyReport(report));
    return exitCodeOfVerify(report);
  },
};

async function verify(settings: VerifySettings, terminal: Terminal): Promise<VerifyReport> {
  const startedAt = performance.now();
  const registries = await findRegistries(settings);
  const { images, requests } = await checkUntilComplete(settings.targets, {
    waitSeconds: settings.waitSeconds,
    check: (targets) => checkOnce(settings, registries, targets),
    onWait: (incomplete, seconds) => {
      const names = incomplete.map(({ reference }) => reference).join(", ");
      terminal.err(
        `regwarden verify: not complete yet: ${names}; checking again in ${seconds.toFixed(1)} s.\n`,
      );
    },
    now: () => performance.now(),
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  });
  return {
    schema: verifyReportSchema,
    finishedAt: new Date().toISOString(),
    durationSeconds: Math.round(performance.now() - startedAt) / 1000,
    complete: images.every(({ findings }) => findings.every(({ cause }) => cause !== "unreadable")),
    requests,
    images,
  };
}

interface Endpoint {
  readonly origin: string;
  readonly account: Account | undefined;
}

async function findRegistries(settings: VerifySettings): Promise<ReadonlyMap<string, Endpoint>> {
  const hosts = [...new Set(settings.targets.map(({ host }) => host))];
  const logins = settings.account ? undefined : await readDockerConfig(settings.dockerConfig);
  const endpoints = hosts.map(async (host) => {
    const account = settings.account ?? (await logins?.accountOf(host));
    const origin = await originOf(host, settings);
    requirePrivacy(host, origin, account);
    return [host, { origin, account }] as const;
  });
  return new Map(await Promise.all(endpoints));
}

/** Memoizes for one round only: what was answered before says nothing about now. */
async function checkOnce(
  { platforms, download, concurrency, timeoutSeconds }: VerifySettings,
  registries: ReadonlyMap<string, Endpoint>,
  targets: readonly Target[],
): Promise<Round> {
  const sources = new Map<string, HttpRegistry>();
  for (const [host, endpoint] of registries)
    sources.set(host, memoize(httpRegistry({ name: host, concurrency, timeoutSeconds, ...endpoint })));
  const checks = await Promise.all(
    targets.flatMap((target) => {
      const source = sources.get(target.host);
      return source ? [verifyImage(source, target, { platforms, download, concurrency })] : [];
    }),
  );
  return { checks, tally: sumTallies([...sources.values()].map((source) => source.tally())) };
}

async function writeJunit(path: string, report: VerifyReport): Promise<void> {
  try {
    await writeFile(path, renderJunit(report));
  } catch (cause) {
    const reason = describeError(cause);
    throw new ProgramError("E_REPORT_UNWRITABLE", `${path} cannot be written: ${reason}.`, { cause });
  }
}

/** The exit status that a report stands for. */
function exitCodeOfVerify({ complete, images }: VerifyReport): ExitCode {
  if (!complete) return exitCodes.couldNotCheck;
  return images.some(({ findings }) => findings.length > 0) ? exitCodes.findings : exitCodes.clean;
}
