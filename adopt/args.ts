import { parseArgs } from "node:util";
import { defaultDirectory } from "../contract/host-paths.ts";
import { messageOf } from "../provider/errors.ts";

/** A command line that says too little or something wrong. The text is a sentence for the user. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface AdoptArgs {
  readonly user: string;
  readonly address: string;
  readonly port: number;
  /** Private key file; undefined: the SSH agent. */
  readonly identity: string | undefined;
  /** `TYPE BASE64` or `SHA256:FINGERPRINT`; undefined: asked for. */
  readonly hostKey: string | undefined;
  readonly directory: string;
  readonly hostname: string | undefined;
  readonly stack: string;
  /** Where the configuration goes. */
  readonly out: string;
  /** Whether the preview of the first update is shown. */
  readonly preview: boolean;
  /** Of the cluster with the former monitoring; undefined: it is not read. */
  readonly cluster: ClusterArgs | undefined;
  /** Put everything back as it was before the first update. */
  readonly revert: boolean;
  /** With `revert`: do it; else only the plan is shown. */
  readonly apply: boolean;
}

export interface ClusterArgs {
  readonly kubeconfig: string;
  readonly context: string;
  readonly namespace: string;
  readonly runbookUrl: string | undefined;
}

export const usage = `Usage: npm run adopt -- --host USER@ADDRESS[:PORT] --out Pulumi.STACK.yaml [options]

Reads a VM that runs a registry and writes a configuration that reproduces it, with a list of every deviation and its
reason, and of what is not managed; then shows what the first update would do, with stand-ins for the secrets. It
changes nothing, neither there nor in a cluster, and reads no secret.

  --host USER@ADDRESS[:PORT]  the VM; any account but root needs passwordless sudo
  --identity FILE             private key [default: the SSH agent of SSH_AUTH_SOCK; \`agent\` says so]
  --host-key KEY              the VM's host key, as TYPE BASE64 or SHA256:FINGERPRINT; without it the fingerprint is shown
                              and must be confirmed
  --directory PATH            where the registry's files lie [default: ${defaultDirectory}]
  --hostname NAME             DNS name of the private registry [default: the one that nginx has]
  --out FILE                  the configuration to write, Pulumi.STACK.yaml; a file that is there is never overwritten
  --kubeconfig FILE           also read the former monitoring in this cluster; with --context
  --context NAME              context of the kubeconfig
  --namespace NAME            namespace of the monitoring [default: monitoring]
  --runbook-url URL           where docs/runbook.md is read; alerts link to it
  --no-preview                without what the first update would do, which needs the Pulumi CLI and openssl
  --revert                    show how the VM gets back to what it was before the first update; with --apply do it

Exit codes: 0 done, 1 done, but something must be settled by hand first (or a plan of --revert), 2 usage, 3 could not
check.
`;

const options = {
  host: { type: "string" },
  identity: { type: "string" },
  "host-key": { type: "string" },
  directory: { type: "string", default: defaultDirectory },
  hostname: { type: "string" },
  out: { type: "string" },
  kubeconfig: { type: "string" },
  context: { type: "string" },
  namespace: { type: "string", default: "monitoring" },
  "runbook-url": { type: "string" },
  "no-preview": { type: "boolean", default: false },
  revert: { type: "boolean", default: false },
  apply: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Errors: UsageError. */
export function parseAdoptArgs(argv: readonly string[]): AdoptArgs | "help" {
  const values = valuesOf(argv);
  if (values.help) return "help";
  const { user, address, port } = hostOf(values.host);
  const { identity, hostname, directory, revert, apply } = values;
  if (apply && !revert) throw new UsageError("--apply belongs to --revert.");
  const hostKey = values["host-key"];
  if (hostKey !== undefined && !/^(SHA256:[A-Za-z0-9+/]{43}=?|[\w@.-]+ AAAA[\w+/]+=*)$/.test(hostKey))
    throw new UsageError("--host-key takes TYPE BASE64 or SHA256:FINGERPRINT.");
  const { out, stack } = outOf(values.out, revert);
  return {
    ...{ user, address, port, hostKey, hostname, directory, revert, apply, out, stack },
    identity: identity === "agent" ? undefined : identity,
    preview: !values["no-preview"],
    cluster: clusterOf(values),
  };
}

type Values = ReturnType<typeof valuesOf>;

function valuesOf(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

function hostOf(text: string | undefined) {
  const [, user = "", address = "", port = "22"] =
    /^([a-z_][\w-]*)@([\w.-]+)(?::(\d{1,5}))?$/.exec(text ?? "") ?? [];
  if (address === "")
    throw new UsageError("--host takes USER@ADDRESS or USER@ADDRESS:PORT, as in root@10.0.20.10.");
  return { user, address, port: Number(port) };
}

/** The stack is named by its file, as Pulumi has it. */
function outOf(out: string | undefined, isRevert: boolean) {
  if (out === undefined && isRevert) return { out: "", stack: "STACK" };
  const [, stack] = /(?:^|\/)Pulumi\.([\w.-]+)\.yaml$/.exec(out ?? "") ?? [];
  if (out === undefined || stack === undefined)
    throw new UsageError("--out takes the file of a stack's configuration, Pulumi.STACK.yaml.");
  return { out, stack };
}

function clusterOf({
  kubeconfig,
  context,
  namespace,
  "runbook-url": runbookUrl,
}: Values): ClusterArgs | undefined {
  if (kubeconfig === undefined && context === undefined) return undefined;
  if (kubeconfig === undefined || context === undefined)
    throw new UsageError(
      "--kubeconfig and --context belong together: the current context is another on each machine.",
    );
  return { kubeconfig, context, namespace, runbookUrl };
}
