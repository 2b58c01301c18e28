import { posix } from "node:path";
import { load } from "js-yaml";
import * as v from "valibot";
import { storeMount } from "../../contract/host-paths.ts";
import { privateRegistry } from "../../contract/registries.ts";
import type { ContainerFact, HostFacts } from "../facts.ts";

/** A registry that runs on the host, or did when it was last started. */
export interface FoundRegistry {
  /** The private one has the stack's name for it, whatever it had. */
  readonly name: string;
  readonly container: ContainerFact;
  readonly configPath: string;
  readonly dataPath: string;
  readonly config: RegistryConfigFacts;
  /** Remote of a cache; undefined for a registry of one's own. */
  readonly remoteUrl: string | undefined;
}

/** Keys of a registry's configuration that decide what it is. Source: distribution v2.8.3, configuration/configuration.go. */
const configSchema = v.looseObject({
  storage: v.nullish(
    v.looseObject({
      cache: v.nullish(v.looseObject({ blobdescriptor: v.optional(v.string()) })),
      filesystem: v.nullish(v.looseObject({ maxsize: v.optional(v.string()) })),
    }),
  ),
  http: v.nullish(v.looseObject({ debug: v.nullish(v.looseObject({ addr: v.optional(v.string()) })) })),
  auth: v.nullish(v.looseObject({ htpasswd: v.nullish(v.looseObject({ path: v.optional(v.string()) })) })),
  proxy: v.nullish(
    v.looseObject({
      remoteurl: v.optional(v.string()),
      username: v.optional(v.string()),
      ttl: v.optional(v.union([v.string(), v.number()])),
    }),
  ),
});
export type RegistryConfigFacts = v.InferOutput<typeof configSchema>;

const configMount = "/etc/docker/registry/config.yml";

/** The registries, the private one first. One whose configuration cannot be read is named in `unreadable`. */
export function registriesOf({ containers, texts }: HostFacts): {
  readonly registries: readonly FoundRegistry[];
  readonly unreadable: readonly string[];
} {
  const unreadable: string[] = [];
  const registries = containers.flatMap((container): FoundRegistry[] => {
    const dataPath = mountedAt(container, storeMount);
    const configPath = mountedAt(container, configMount);
    if (dataPath === undefined || container.labels["com.docker.compose.oneoff"] === "True") return [];
    // Without a file of its own it has the image's: a private registry without passwords.
    const config = configPath === undefined ? {} : parsed(texts.get(configPath));
    if (config === undefined) {
      unreadable.push(`${container.name}: ${configPath} cannot be read as the configuration of a registry`);
      return [];
    }
    const remoteUrl = config.proxy?.remoteurl?.replace(/\/+$/, "");
    const name = remoteUrl === undefined ? privateRegistry : cacheName(container, dataPath);
    return [{ name, container, configPath: configPath ?? "", dataPath, config, remoteUrl }];
  });
  const isCache = ({ remoteUrl }: FoundRegistry) => Number(remoteUrl !== undefined);
  return { registries: registries.sort((a, b) => isCache(a) - isCache(b)), unreadable };
}

/** Where on the host a container has its own path from; undefined where nothing is mounted there. */
export function mountedAt({ mounts }: ContainerFact, target: string): string | undefined {
  return mounts.find((mount) => mount.target === target)?.source;
}

function parsed(text: string | undefined): RegistryConfigFacts | undefined {
  if (text === undefined) return undefined;
  try {
    return v.parse(configSchema, load(text));
  } catch {
    return undefined;
  }
}

/** The name of its data directory, which the stack makes its paths of; else the container's. */
function cacheName({ name }: ContainerFact, dataPath: string): string {
  const [, ofContainer = name] = /^registry-(.+)$/.exec(name) ?? [];
  return posix.basename(posix.dirname(dataPath)) === "data" ? posix.basename(dataPath) : ofContainer;
}
