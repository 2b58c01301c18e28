import { parseArgs } from "node:util";
import { messageOf } from "../../provider/errors.ts";
import { UsageError } from "../args.ts";

export const dnsActions = ["rollback", "test", "status"] as const;
export type DnsAction = (typeof dnsActions)[number];

export interface DnsArgs {
  readonly action: DnsAction;
  /** That `test` asks for; undefined: the configuration's. */
  readonly name: string | undefined;
  /** Undefined: the VM, or the only other host. */
  readonly host: string | undefined;
  readonly stack: string | undefined;
}

export const dnsUsage = `Usage: npm run dns -- rollback|test|status [options]

  rollback      puts back the DNS files that a host had before the stack's first change of them, byte for byte
  test [NAME]   swallows what goes to the first server for moments and asks for NAME: a fallback must answer
  status        what is declared, in use and kept

  --host NAME   which host: vm, or a name of dns.hosts [default: vm, or the only one]
  --stack NAME  which stack [default: the lab's if it runs here, else PULUMI_STACK]

Runs regwarden-dns on the host, over the stack's own verified connection.
Exit codes: 0 done, 1 it failed, 2 usage, 3 could not try: a host, the configuration or its secrets cannot be read.
`;

const options = {
  host: { type: "string" },
  stack: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

// It becomes an argument of a shell command on the host.
const dnsNamePattern = /^[A-Za-z0-9]([A-Za-z0-9.-]{0,252})$/;

/** Errors: UsageError. */
export function parseDnsArgs(argv: readonly string[]): DnsArgs | "help" {
  const { values, positionals } = split(argv);
  if (values.help) return "help";
  const [word, name, ...rest] = positionals;
  const action = dnsActions.find((each) => each === word);
  if (action === undefined)
    throw new UsageError(`Expected one of ${dnsActions.join(", ")}, got ${word ?? "nothing"}.`);
  const unexpected = action === "test" ? rest[0] : name;
  if (unexpected !== undefined) throw new UsageError(`Unexpected argument ${unexpected}.`);
  if (name !== undefined && !dnsNamePattern.test(name)) throw new UsageError(`${name} is no DNS name.`);
  return { action, name, host: values.host, stack: values.stack };
}

function split(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options });
  } catch (cause) {
    throw new UsageError(messageOf(cause), { cause });
  }
}

/** The host that is meant. Errors: UsageError that names those that there are. */
export function chosenHost(host: string | undefined, known: readonly string[], vm: string): string {
  if (known.length === 0)
    throw new UsageError(
      "The stack's configuration declares no name servers (regwarden:dns): nothing to do.",
    );
  const meant = host ?? (known.includes(vm) || known.length > 1 ? vm : known[0]);
  if (meant !== undefined && known.includes(meant)) return meant;
  const given = host === undefined ? "Which host?" : `There is no host ${host}.`;
  throw new UsageError(`${given} Give --host with one of ${known.join(", ")}.`);
}
