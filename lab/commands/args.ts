import { parseArgs } from "node:util";
import { LabError } from "../machine/errors.ts";
import { currentInstance, type Instance, instances } from "../machine/instances.ts";

/** The commands of `npm run lab -- COMMAND`. */
type LabCommand = "up" | "status" | "tour" | "incident" | "run" | "down" | "help";

export interface LabArgs {
  readonly command: LabCommand;
  readonly instance: Instance;
  /** For `down`: the cache too. */
  readonly cache: boolean;
  /** For `up`: with a Kubernetes API server, Prometheus and Pushgateway. */
  readonly cluster: boolean;
  /** For `run`: the CronJob. */
  readonly cronJob?: { readonly namespace: string; readonly name: string };
  /** For `incident` and `tour`: what the `for` of every alert is divided by. */
  readonly speed?: number;
}

/** Half an hour becomes fifteen seconds. */
const defaultSpeed = 120;

/** 0 done or running; 1 a step failed, or not everything runs; 2 usage; 130 interrupted. */
export const exitCodes = { ok: 0, failed: 1, usage: 2, interrupted: 130 } as const;

export const usage = `npm run lab [-- COMMAND] [--instance NAME] [--no-cluster] [--speed N] [--cache]

Runs the stack on this machine: a VM-like host, the registries on it, sample images, and a Kubernetes API server with
Prometheus and Pushgateway.

Commands
  up        build, boot and deploy what is missing (the default); run it again after any failure
  status    show what runs
  tour      lead through drift, the comment on a pull request, the incident and the maintenance
  incident  damage the registry by the real "garbage-collect -m"; show detection, alert and repair;
            then retain and gc, which lose nothing while clients push and pull, and their undo
  run       run the pods of a CronJob once, now: run NAMESPACE/NAME
  down      remove the instance: cluster, containers, volumes, network, state; the cache stays

Options
  --instance NAME   ${instances.join(", ")}: separate labs beside each other (default: REGWARDEN_LAB, else lab)
  --no-cluster      with up: leave Kubernetes and monitoring out; a later up without it adds them
  --speed N         with incident and tour: alerts wait for an Nth of their time (default: ${defaultSpeed})
  --cache           with down: remove the cache too (tools, root file system, images)

Exit codes: 0 done or running, 1 failed, not running, or a step with an unexpected result, 2 usage
`;

const commands: readonly LabCommand[] = ["up", "status", "tour", "incident", "run", "down"];

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: "boolean", short: "h" },
        instance: { type: "string" },
        cache: { type: "boolean" },
        "no-cluster": { type: "boolean" },
        speed: { type: "string" },
      },
    });
  } catch (error) {
    throw new LabError("E_USAGE", (error as Error).message, { cause: error });
  }
}

function parseCronJob(text: string | undefined): NonNullable<LabArgs["cronJob"]> {
  const [namespace, name, ...rest] = text?.split("/") ?? [];
  if (namespace && name && rest.length === 0) return { namespace, name };
  throw new LabError("E_USAGE", `run takes NAMESPACE/NAME of a CronJob, not "${text ?? ""}"`);
}

function parseSpeed(text: string | undefined): number {
  const speed = text === undefined ? defaultSpeed : Number(text);
  if (speed >= 1 && speed <= 10_000) return speed;
  throw new LabError("E_USAGE", `--speed takes a number from 1 to 10000, not "${text}"`);
}

/** Options that belong to one command. */
function commandOptions(
  command: LabCommand,
  rest: readonly string[],
  speed: string | undefined,
): Partial<LabArgs> {
  const hasAlerts = command === "incident" || command === "tour";
  if (speed !== undefined && !hasAlerts) {
    throw new LabError("E_USAGE", "--speed goes with incident and tour only");
  }
  if (command === "run") return { cronJob: parseCronJob(rest[0]) };
  return hasAlerts ? { speed: parseSpeed(speed) } : {};
}

/** Reads the command line. Errors: E_USAGE. */
export function parseLabArgs(args: readonly string[], environment: NodeJS.ProcessEnv = process.env): LabArgs {
  const { values, positionals } = parse(args);
  const [word = "up", ...rest] = positionals;
  const command = commands.find((known) => known === word);
  if (command === undefined || rest.length > (command === "run" ? 1 : 0)) {
    throw new LabError(
      "E_USAGE",
      `"${positionals.join(" ")}" is no command; the commands are ${commands.join(", ")}`,
    );
  }
  if (values.cache && command !== "down") throw new LabError("E_USAGE", "--cache goes with down only");
  if (values["no-cluster"] && command !== "up") {
    throw new LabError("E_USAGE", "--no-cluster goes with up only");
  }
  const named = values.instance === undefined ? environment : { REGWARDEN_LAB: values.instance };
  return {
    command: values.help ? "help" : command,
    instance: currentInstance(named),
    cache: values.cache ?? false,
    cluster: !values["no-cluster"],
    ...(values.help ? {} : commandOptions(command, rest, values.speed)),
  };
}
