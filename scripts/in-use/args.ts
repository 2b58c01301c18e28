import * as v from "valibot";
import { parseArguments } from "../cli/command.ts";
import { ProgramError } from "../cli/errors.ts";
import { dockerConfigPath, privacyFault, readAccount } from "../cli/options/account.ts";
import { parseOrigin, pushgatewayAddress } from "../cli/options/address.ts";
import { type Environment, optionOrVariable } from "../cli/options/environment.ts";
import { concurrency, timeoutSeconds } from "../cli/options/numbers.ts";
import type { Account } from "../http/exchange.ts";
import { parseReference } from "../registry/reference.ts";
import type { PublishTarget } from "./publish.ts";

/** One registry whose images are checked. */
export interface RegistryAddress {
  /** As workloads name it: HOST[:PORT]. */
  readonly name: string;
  /** Where it is asked: scheme, host and port. */
  readonly origin: string;
}

/** What was asked for. */
export interface InUseSettings {
  readonly registries: readonly RegistryAddress[];
  /** From the environment; else each registry's own from Docker's configuration. */
  readonly account: Account | undefined;
  readonly dockerConfig: string;
  /** File; undefined in a pod, whose API server `pod` then names. */
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  readonly pod: { readonly host: string; readonly port: string } | undefined;
  /** Base URL without a slash at its end. */
  readonly pushgateway: string | undefined;
  readonly concurrency: number;
  /** How long the cluster or a registry may be silent. */
  readonly timeoutSeconds: number;
  readonly json: boolean;
  /** Where the list is put, in the only registry that is asked; undefined: nowhere. */
  readonly publish: PublishTarget | undefined;
}

export const inUseHelp = `Usage: regwarden in-use [OPTION]...

Asks a Kubernetes cluster which images its workloads need, and a registry whether it serves all of each, down to the
layers, for the platforms of the nodes that may run it. Names the workloads that could not start again. Reads only.

Options, some also by the environment variable beside them; the option wins:
  --registry NAME[=URL]                     HOST[:PORT] as images name it, and where to ask it. Default: https://NAME.
                       REGISTRY_INSTANCE    May be given several times; other registries' images are not checked
                       REGISTRY_URL
  --kubeconfig FILE    KUBECONFIG           default: in a pod its service account, else ~/.kube/config
  --context NAME                            of the kubeconfig. Default: its current one
  --pushgateway URL    PUSHGATEWAY          where to put metrics, one group a registry. Default: nowhere
  --concurrency N      CONCURRENCY          requests in flight. Default: 16
  --timeout SECONDS    TIMEOUT_SECONDS      how long cluster or registry may send no byte; 1 to 600. Default: 10
  --publish REPOSITORY:TAG                  puts a complete list there, in the one registry, for retain and gc on its host
  --json                                    prints one document (regwarden/in-use/v1) instead of text: all images of these
                                            registries that the cluster names, with tags, digests and state
The account by the environment, REG_USER and REG_PASS, for one registry; else as docker login left it. A CA of one's own
for the registry by NODE_EXTRA_CA_CERTS, as Node reads it.
The cluster's account must list pods, nodes, deployments, statefulsets, daemonsets, replicasets, jobs and cronjobs.

Exit status: 0 all that is in use is there, 1 something is not, 2 wrong usage or configuration, 3 something could not be
checked, as without nodes or where no workload names an image of a registry, or the metrics could not be pushed.
`;

const text = v.optional(v.string());
const schema = v.object({
  positionals: v.pipe(v.array(v.string()), v.maxLength(0, "in-use takes no arguments, only options.")),
  registry: v.optional(v.array(v.string()), []),
  kubeconfig: text,
  context: text,
  pushgateway: text,
  concurrency: text,
  timeout: text,
  json: v.optional(v.boolean(), false),
  publish: v.optional(v.string()),
});
const options = {
  registry: { type: "string", multiple: true },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  pushgateway: { type: "string" },
  concurrency: { type: "string" },
  timeout: { type: "string" },
  json: { type: "boolean" },
  publish: { type: "string" },
} as const;

const settingsSchema = v.object({
  pushgateway: pushgatewayAddress("PUSHGATEWAY"),
  concurrency: concurrency("CONCURRENCY"),
  timeoutSeconds: timeoutSeconds("TIMEOUT_SECONDS"),
});

/**
 * The only reader of the environment. No message repeats a password.
 *
 * Errors: E_USAGE for options that do not exist; E_CONFIGURATION with all faults of what was given.
 */
export function parseInUseArguments(
  argv: readonly string[],
  environment: Environment = process.env,
): InUseSettings {
  const given = parseArguments(argv, options, schema);
  const faults: string[] = [];
  const { account, faults: accountFaults } = readAccount(environment);
  const registries = readRegistries(given.registry, environment, faults);
  const settings = v.safeParse(settingsSchema, {
    pushgateway: optionOrVariable(given.pushgateway, environment.PUSHGATEWAY),
    concurrency: optionOrVariable(given.concurrency, environment.CONCURRENCY),
    timeoutSeconds: optionOrVariable(given.timeout, environment.TIMEOUT_SECONDS),
  });
  faults.push(
    ...accountFaults,
    ...checkAccount(registries, account),
    ...publishFaults(given.publish, registries, account),
    ...(settings.issues ?? []).map(({ message }) => message),
  );
  if (!settings.success || faults.length > 0) throw new ProgramError("E_CONFIGURATION", faults.join(" "));
  return {
    registries,
    account,
    dockerConfig: dockerConfigPath(environment),
    ...readCluster(given, environment),
    ...settings.output,
    pushgateway: settings.output.pushgateway,
    json: given.json,
    publish: publishTarget(given.publish),
  };
}

function readRegistries(
  given: readonly string[],
  environment: Environment,
  faults: string[],
): RegistryAddress[] {
  const { REGISTRY_INSTANCE: instance = "", REGISTRY_URL: url = "" } = environment;
  const fromEnvironment = instance === "" ? [] : [url === "" ? instance : `${instance}=${url}`];
  const all = given.length > 0 ? given : fromEnvironment;
  if (all.length === 0) faults.push("--registry is missing (or REGISTRY_INSTANCE).");
  const seen = new Set<string>();
  return all.flatMap((entry) => {
    const equals = entry.indexOf("=");
    const name = equals < 0 ? entry : entry.slice(0, equals);
    const address = parseOrigin(equals < 0 ? `https://${name}` : entry.slice(equals + 1));
    const parsed = parseReference(`${name}/x`);
    const isName = "host" in parsed && parsed.host === name;
    if (seen.has(name)) faults.push(`--registry ${name} is given twice.`);
    seen.add(name);
    if (!isName) faults.push(`--registry: ${name} is not HOST or HOST:PORT, as images name it.`);
    if (!address) faults.push(`--registry ${name}: its URL must be like https://registry.example:5050.`);
    return isName && address ? [{ name, origin: address.origin }] : [];
  });
}

function checkAccount(
  registries: readonly RegistryAddress[],
  account: Account | undefined,
): readonly string[] {
  if (!account) return [];
  return [
    ...registries.flatMap(({ name, origin }) => privacyFault(name, new URL(origin)) ?? []),
    ...(registries.length > 1 ? ["REG_USER and REG_PASS are for one registry, and several are given."] : []),
  ];
}

function publishTarget(given: string | undefined): PublishTarget | undefined {
  if (given === undefined) return undefined;
  const parsed = parseReference(`registry.local/${given}`);
  if ("reason" in parsed || parsed.tag === null || parsed.digest !== null) return undefined;
  return { repository: parsed.repository, tag: parsed.tag };
}

function publishFaults(
  given: string | undefined,
  registries: readonly RegistryAddress[],
  account: Account | undefined,
): readonly string[] {
  if (given === undefined) return [];
  return [
    ...(publishTarget(given) ? [] : ["--publish must be like regwarden/in-use:latest."]),
    ...(registries.length > 1 ? ["--publish puts the list into one registry, and several are given."] : []),
    ...(account ? [] : ["--publish needs the account by the environment: REG_USER and REG_PASS."]),
  ];
}

function readCluster(
  {
    kubeconfig,
    context,
  }: { readonly kubeconfig?: string | undefined; readonly context?: string | undefined },
  environment: Environment,
): Pick<InUseSettings, "kubeconfig" | "context" | "pod"> {
  const { KUBECONFIG = "", HOME = "/" } = environment;
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  // kubectl merges several files of this variable; here the first one counts.
  const file = kubeconfig ?? (KUBECONFIG.split(":")[0] || undefined);
  if (file === undefined && host !== "") return { kubeconfig: undefined, context, pod: { host, port } };
  return { kubeconfig: file ?? `${HOME}/.kube/config`, context, pod: undefined };
}
