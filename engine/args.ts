import { parseArgs } from "node:util";
import { messageOf } from "../provider/errors.ts";
import { type StackPart, stackParts } from "./only.ts";

/** A command line or an environment that says too little or something wrong. The text is a sentence for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const operations = ["preview", "up", "drift", "destroy"] as const;
export type Operation = (typeof operations)[number];

export interface EngineArgs {
  readonly operation: Operation;
  /** Undefined: the lab's, if one runs here, else what PULUMI_STACK names. */
  readonly stack: string | undefined;
  /** Apply without asking. */
  readonly yes: boolean;
  /** The part of the stack to read and change; undefined: all of it. */
  readonly only: StackPart | undefined;
  /** How long `up` and `destroy` wait for another run's lock. */
  readonly lockWaitMilliseconds: number;
  /** Whether a drift run counts what is there and not declared. */
  readonly unmanaged: boolean;
  /** Where a preview leaves its table for a pull request. */
  readonly markdown: string | undefined;
  /** Whether a preview is put on the pull request of this pipeline. */
  readonly comment: boolean;
  /** As given; {@link reportTargets} reads them. */
  readonly pushgateway: string | undefined;
  readonly notify: string | undefined;
}

/** Where a drift run reports to. */
export interface ReportTargets {
  /** Base URL of a Pushgateway. */
  readonly pushgateway: URL | undefined;
  /** Slack-compatible webhook. A secret: it is in no message. */
  readonly notify: URL | undefined;
}

export const usage = `Usage: npm run preview|up|drift|destroy -- [options]

  preview   what an update would change, after reading everything that is managed; changes nothing
  up        the same, then asks, then applies; the only one that makes a new stack
  drift     a preview that answers by its exit code: 0 nothing differs, 7 something does, 1 could not check
  destroy   takes the stack down; registry data stays on the host

  --stack NAME        which stack [default: the lab's if it runs here, else PULUMI_STACK]
  --yes               apply without asking (CI)
  --only PART         preview, up, destroy: \`host\` or \`cluster\`, without reading or changing the other: while the
                      VM is down, \`up --only cluster\` works
  --lock-wait TIME    up, destroy: how long to wait while another run has the stack, as in 90s, 10m, 1h; 0s does not
                      wait [default: 10m]
  --unmanaged         drift: exit with 7 as well when the host has something that is not declared
  --comment           preview: one comment on this pipeline's pull request, edited from run to run; needs FORGE_TOKEN
  --markdown FILE     preview: the text of that comment into a file; an empty one when nothing changes
  --pushgateway URL   drift: where the metrics go [default: PUSHGATEWAY]
  --notify URL        drift: a Slack-compatible webhook for drift and for runs that could not check [default: SLACK_WEBHOOK].
                      It is a secret: the variable keeps it out of the list of processes

Exit codes: 0 done, 1 failed or could not report, 2 usage, 7 drift (only \`drift\`).
`;

const options = {
  stack: { type: "string" },
  yes: { type: "boolean", default: false },
  only: { type: "string" },
  "lock-wait": { type: "string" },
  unmanaged: { type: "boolean" },
  markdown: { type: "string" },
  comment: { type: "boolean" },
  pushgateway: { type: "string" },
  notify: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Errors: UsageError. */
export function parseEngineArgs(argv: readonly string[]): EngineArgs | "help" {
  const { values, positionals } = splitArguments(argv);
  if (values.help) return "help";
  const [operation, ...rest] = positionals;
  if (!isOperation(operation))
    throw new UsageError(`Expected one of ${operations.join(", ")}, got ${operation ?? "nothing"}.`);
  if (rest.length > 0) throw new UsageError(`Unexpected argument ${rest[0]}.`);
  onlyWith(operation, ["preview"], { markdown: values.markdown, comment: values.comment });
  const { pushgateway, notify, unmanaged = false } = values;
  onlyWith(operation, ["drift"], { pushgateway, notify, unmanaged: values.unmanaged });
  onlyWith(operation, ["preview", "up", "destroy"], { only: values.only });
  onlyWith(operation, ["up", "destroy"], { "lock-wait": values["lock-wait"] });
  const only = partNamed(values.only);
  const lockWaitMilliseconds = durationOf(values["lock-wait"] ?? "10m");
  const { stack, yes, markdown, comment = false } = values;
  const common = { operation, stack, yes, only, lockWaitMilliseconds };
  return { ...common, markdown, comment, unmanaged, pushgateway, notify };
}

/** Errors: UsageError. */
function partNamed(name: string | undefined): StackPart | undefined {
  const part = stackParts.find((each) => each === name);
  if (name !== undefined && part === undefined)
    throw new UsageError(`--only takes ${stackParts.join(" or ")}, got ${name}.`);
  return part;
}

const unitMilliseconds: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 };

/** Errors: UsageError. */
function durationOf(text: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smh])$/.exec(text) ?? [];
  if (count === undefined)
    throw new UsageError(`--lock-wait takes a time such as 90s, 10m or 1h, got ${text}.`);
  return Number(count) * (unitMilliseconds[unit] ?? 0);
}

/**
 * The targets that are named, else those that the environment names, a lab's own included.
 *
 * Errors: UsageError, without the value: it may hold a password.
 */
export function reportTargets(
  { pushgateway, notify }: Pick<EngineArgs, "pushgateway" | "notify">,
  environment: Readonly<Record<string, string | undefined>>,
): ReportTargets {
  return {
    pushgateway: httpUrl("Pushgateway", pushgateway ?? environment.PUSHGATEWAY),
    notify: httpUrl("webhook", notify ?? environment.SLACK_WEBHOOK),
  };
}

function splitArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

function isOperation(word: string | undefined): word is Operation {
  return operations.some((operation) => operation === word);
}

function onlyWith(
  given: Operation,
  needed: readonly Operation[],
  values: Readonly<Record<string, string | boolean | undefined>>,
): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && !needed.includes(given))
      throw new UsageError(`--${name} belongs to \`${needed.join("`, `")}\`.`);
  }
}

/** An empty value is none: CI cannot unset a variable. */
function httpUrl(what: string, text: string | undefined): URL | undefined {
  if (text === undefined || text === "") return undefined;
  const url = URL.parse(text);
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw new UsageError(`The ${what} is no http:// or https:// URL.`);
}
