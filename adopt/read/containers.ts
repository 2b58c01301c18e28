import * as v from "valibot";
import type { ContainerFact, ImageFact } from "../facts.ts";

/** Fields of a container. Not its environment, which may hold passwords. Source: Docker Engine API, GET /containers/{id}/json. */
const template = [
  '"name":{{json .Name}}',
  '"image":{{json .Config.Image}}',
  '"imageId":{{json .Image}}',
  '"state":{{json .State.Status}}',
  '"labels":{{json .Config.Labels}}',
  '"mounts":{{json .Mounts}}',
  '"ports":{{json .HostConfig.PortBindings}}',
  '"isReadOnly":{{json .HostConfig.ReadonlyRootfs}}',
  '"droppedCapabilities":{{json .HostConfig.CapDrop}}',
  '"memoryBytes":{{json .HostConfig.Memory}}',
  '"networks":{{json .NetworkSettings.Networks}}',
].join(",");

/** Variables of the UI's image that hold no password. */
const shownVariables = [
  "DELETE_IMAGES",
  "NGINX_PROXY_PASS_URL",
  "REGISTRY_TITLE",
  "REGISTRY_URL",
  "SINGLE_REGISTRY",
];

/**
 * A JSON document a line: a container, `{"name", "variable"}` for each of its variables that may be shown, an image. The
 * values of all other variables stay on the host.
 */
export const containersScript = `set -eu
export LC_ALL=C
ids=$(docker ps --all --quiet --no-trunc)
for id in $ids; do
  docker inspect --type container --format '{"container":{${template}}}' "$id"
  docker inspect --type container --format '{{$name := .Name}}{{range .Config.Env}}{"variable":{"name":{{json $name}},"text":{{json .}}}}{{"\\n"}}{{end}}' "$id" |
    grep -E '"text":"(${shownVariables.join("|")})=' || true
done
for id in $(docker images --quiet --no-trunc | sort -u); do
  docker image inspect --format '{"image":{"id":{{json .Id}},"tags":{{json .RepoTags}},"digests":{{json .RepoDigests}}}}' "$id"
done
echo '{"end":true}'`;

const binding = v.array(v.object({ HostPort: v.string() }));
const containerSchema = v.object({
  name: v.string(),
  image: v.string(),
  imageId: v.string(),
  state: v.string(),
  labels: v.nullish(v.record(v.string(), v.string())),
  mounts: v.nullish(
    v.array(
      v.object({
        Name: v.optional(v.string()),
        Source: v.optional(v.string(), ""),
        Destination: v.string(),
        RW: v.boolean(),
      }),
    ),
  ),
  ports: v.nullish(v.record(v.string(), v.nullish(binding))),
  isReadOnly: v.boolean(),
  droppedCapabilities: v.nullish(v.array(v.string())),
  memoryBytes: v.number(),
  networks: v.nullish(v.record(v.string(), v.unknown())),
});
const imageSchema = v.object({
  id: v.string(),
  tags: v.nullish(v.array(v.string())),
  digests: v.nullish(v.array(v.string())),
});
const lineSchema = v.object({
  container: v.optional(containerSchema),
  variable: v.optional(v.object({ name: v.string(), text: v.string() })),
  image: v.optional(imageSchema),
  end: v.optional(v.boolean()),
});

/** Errors: throws when the listing was cut off or is none. */
export function containersOf(output: Buffer): {
  readonly containers: ContainerFact[];
  readonly images: ImageFact[];
} {
  const lines = output
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => v.parse(v.pipe(v.string(), v.parseJson(), lineSchema), line));
  if (lines.at(-1)?.end !== true) throw new Error("the listing of the containers was cut off");
  const variables = lines.flatMap(({ variable }) => (variable === undefined ? [] : [variable]));
  const containers = lines.flatMap(({ container }) =>
    container === undefined
      ? []
      : [
          containerOf(
            container,
            variables.filter(({ name }) => name === container.name).map(({ text }) => text),
          ),
        ],
  );
  const images = lines.flatMap(({ image }) =>
    image === undefined ? [] : [{ id: image.id, tags: image.tags ?? [], digests: image.digests ?? [] }],
  );
  return { containers: containers.sort((a, b) => (a.name < b.name ? -1 : 1)), images };
}

function containerOf(
  found: v.InferOutput<typeof containerSchema>,
  variables: readonly string[],
): ContainerFact {
  return {
    name: found.name.replace(/^\//, ""),
    image: found.image,
    imageId: found.imageId,
    state: found.state,
    labels: found.labels ?? {},
    mounts: (found.mounts ?? []).map(({ Name, Source, Destination, RW }) => ({
      source: Name ?? Source,
      target: Destination,
      isReadOnly: !RW,
    })),
    ports: portsOf(found.ports ?? {}),
    isReadOnly: found.isReadOnly,
    droppedCapabilities: found.droppedCapabilities ?? [],
    memoryBytes: found.memoryBytes,
    networks: Object.keys(found.networks ?? {}),
    environment: Object.fromEntries(
      variables.map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]),
    ),
  };
}

function portsOf(
  bindings: Readonly<Record<string, v.InferOutput<typeof binding> | null | undefined>>,
): string[] {
  return Object.entries(bindings).flatMap(([inside, published]) =>
    (published ?? []).map(({ HostPort }) => `${HostPort}:${inside.split("/")[0]}`),
  );
}
