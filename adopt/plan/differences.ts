import { units } from "../../contract/host-names.ts";
import { hostPaths } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { HostFacts } from "../facts.ts";
import type { Deviation } from "./deviation.ts";
import { publishedBy } from "./ports.ts";
import type { FoundRegistry } from "./registries.ts";

/** What will differ in the files, beside what the configuration says. */
export function fileDeviations(facts: HostFacts, registries: readonly FoundRegistry[]): Deviation[] {
  return [
    ...registries.flatMap(configDeviations),
    ...metricsDeviation(facts, registries),
    ...passwordDeviation(facts, registries),
    ...mountedFileDeviations(facts),
    ...unitDeviation(facts),
  ];
}

function configDeviations({ name, config, configPath }: FoundRegistry): Deviation[] {
  const deviations: Deviation[] = [];
  const add = (key: string, was: string, becomes: string, why: string) =>
    deviations.push({ what: `${configPath}: ${key}`, was, becomes, why });
  const { storage, http, proxy } = config;
  const maxsize = storage?.filesystem?.maxsize;
  if (maxsize !== undefined)
    add("filesystem.maxsize", maxsize, "left out", "2.8.3 does not know the key: it limits nothing");
  if (proxy?.ttl !== undefined)
    add("proxy.ttl", String(proxy.ttl), "left out", "2.8.3 does not know the key");
  if (name === privateRegistry && storage?.cache?.blobdescriptor !== undefined)
    add(
      "storage.cache",
      storage.cache.blobdescriptor,
      "left out",
      "with it the registry answers that a blob is there which is gone, and a push does not heal it",
    );
  if (http?.debug?.addr === undefined)
    add("http.debug", "none", "metrics, inside the compose network", "nothing reported whether it runs");
  return deviations;
}

/** Metrics that were published by a registry itself have another path. */
function metricsDeviation({ containers }: HostFacts, registries: readonly FoundRegistry[]): Deviation[] {
  return publishedBy(containers)
    .filter(
      ({ inside, container }) => inside === 5001 && registries.some((each) => each.container === container),
    )
    .map(({ host, container }) => ({
      what: `metrics on port ${host}`,
      was: `/metrics, of ${container.name} alone`,
      becomes: `/metrics/NAME of each registry, on port 5001 (metrics.port)`,
      why: "one port for all; change the scrape job, or let cluster.scrape make one",
    }));
}

function passwordDeviation(
  { users, directory }: HostFacts,
  registries: readonly FoundRegistry[],
): Deviation[] {
  const [own] = registries;
  const found = [...users].flatMap(([path, names]) => names.map((name) => ({ path, name })));
  if (own?.config.auth?.htpasswd == null && own !== undefined)
    return [
      {
        what: "accounts of the private registry",
        was: "none: every client may push",
        becomes: "one account (registryUser, registryPassword)",
        why: "clients need the account from the first update on: give it to them before",
      },
    ];
  if (found.length <= 1)
    return found.map(({ path }) => ({
      what: path,
      was: "one account",
      becomes: `the same account, in ${hostPaths(directory).htpasswd}`,
      why: "its directory is mounted, so that a new password needs no restart; the former file stays",
    }));
  return [
    {
      what: "accounts of the private registry",
      was: found.map(({ name }) => name).join(", "),
      becomes: "one that may push (registryUser), one that may only pull (private.pullUser)",
      why: "the stack has two accounts: clients of the others need one of them before the first update",
    },
  ];
}

/** Files that a container has mounted one by one lie in directories of their own in the stack. */
function mountedFileDeviations({ entries, directory }: HostFacts): Deviation[] {
  const former = `${directory}/nginx.conf`;
  if (!entries.some(({ path }) => path === former)) return [];
  return [
    {
      what: former,
      was: "mounted as a file",
      becomes: hostPaths(directory).nginxConfig,
      why: "its directory is mounted: a file that is replaced is then seen by a reload. The former file stays",
    },
  ];
}

function unitDeviation({ units: found }: HostFacts): Deviation[] {
  const boot = found.find(({ name }) => name === units.boot);
  if (!boot?.text.includes("ExecStop=")) return [];
  return [
    {
      what: units.boot,
      was: "stops all containers when it is stopped or restarted",
      becomes: "starts them only",
      why: "a restart of the unit was an outage",
    },
  ];
}
