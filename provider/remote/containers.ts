import { setTimeout as delay } from "node:timers/promises";
import * as v from "valibot";
import { HostError } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";

/** One container, as far as drift of a compose project can show in it. */
export interface Container {
  readonly id: string;
  readonly name: string;
  /** The reference that it was made from. */
  readonly image: string;
  readonly imageId: string;
  /** `running`, `exited`, `paused`, `restarting`, `created`, `dead`. */
  readonly state: string;
  /** `healthy`, `unhealthy`, `starting`, or `none` without a health check. */
  readonly health: string;
  readonly startedAt: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Host paths of bind mounts whose file has been replaced since: the container still sees the old one. */
  readonly staleMounts: readonly string[];
}

/** Source: Docker Engine API, GET /containers/{id}/json. */
const inspectSchema = v.array(
  v.object({
    Id: v.string(),
    Name: v.string(),
    Image: v.string(),
    State: v.object({
      Status: v.string(),
      StartedAt: v.string(),
      Health: v.optional(v.nullable(v.object({ Status: v.string() }))),
    }),
    Config: v.object({ Image: v.string(), Labels: v.nullish(v.record(v.string(), v.string())) }),
  }),
);

/**
 * `stale CONTAINER` prints the sources of its bind mounts that are another file by now. A file that is replaced by
 * rename leaves the container with the old one, whatever is done to the path afterwards, until it is restarted.
 */
const staleFunction = `
stale() {
  process=$(docker inspect --format '{{.State.Pid}}' "$1")
  [ "$process" -gt 0 ] || return 0
  docker inspect --format '{{range .Mounts}}{{if eq .Type "bind"}}{{.Source}}|{{.Destination}}{{"\\n"}}{{end}}{{end}}' "$1" |
    while IFS='|' read -r source destination; do
      [ -n "$source" ] || continue
      there=$(stat -c %d:%i -- "/proc/$process/root$destination") || continue
      [ "$(stat -c %d:%i -- "$source" 2>/dev/null)" = "$there" ] || echo "$source"
    done
}`;

/** Between the document that docker gives and what this adds to it. */
const separator = "-- stale mounts --";

/**
 * Arguments: project, then container names. One JSON document, whether or not there is any container; then a line
 * for each stale mount, `ID SOURCE`.
 */
const inspectScript = `set -eu
project=$1; shift
${staleFunction}
ids=$(docker ps --all --quiet --no-trunc --filter "label=com.docker.compose.project=$project")
for name; do
  ids="$ids $(docker ps --all --quiet --no-trunc --filter "name=^/$name\\$")"
done
ids=$(printf '%s\\n' $ids | sort -u)
if [ -z "$ids" ]; then echo '[]'; else docker inspect --type container $ids; fi
echo "${separator}"
for id in $ids; do stale "$id" | sed "s|^|$id |"; done`;

const startingLimitSeconds = 30;

/**
 * The containers of a compose project together with any that hold one of the given names. One that is just starting
 * is waited for: a restart of a moment ago is no deviation.
 */
export async function inspectContainers(
  host: SshHost,
  project: string,
  names: readonly string[],
): Promise<Container[]> {
  for (let waited = 0; ; waited++) {
    const containers = await inspectOnce(host, project, names);
    if (waited >= startingLimitSeconds || !containers.some(({ health }) => health === "starting"))
      return containers;
    await delay(1000);
  }
}

async function inspectOnce(host: SshHost, project: string, names: readonly string[]): Promise<Container[]> {
  const action = `check the containers of ${project}`;
  const { stdout } = await host.run(inspectScript, [project, ...names], { action });
  const [document = "", stale = ""] = stdout.toString("utf8").split(`${separator}\n`);
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), inspectSchema), document);
  if (!parsed.success) {
    throw new HostError(
      "E_REMOTE",
      `${host.name}: ${action}: docker inspect gave what is no list of containers`,
    );
  }
  return parsed.output
    .filter(({ Config }) => Config.Labels?.["com.docker.compose.oneoff"] !== "True")
    .map((container) => containerOf(container, stale.split("\n")));
}

function containerOf(
  inspected: v.InferOutput<typeof inspectSchema>[number],
  staleLines: readonly string[],
): Container {
  const { Id, Name, Image, State, Config } = inspected;
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    image: Config.Image,
    imageId: Image,
    state: State.Status,
    health: State.Health?.Status ?? "none",
    startedAt: State.StartedAt,
    labels: Config.Labels ?? {},
    staleMounts: staleLines
      .filter((line) => line.startsWith(`${Id} `))
      .map((line) => line.slice(Id.length + 1)),
  };
}

/**
 * Arguments: compose file, project, wait limit in seconds, what to run just before containers are made anew and what
 * right after it, whatever became of them, image count, then pairs of image reference and the id it
 * had at the last deployment ("" when unknown), then containers that hold a service's name but were not made by this
 * project. A reference that names another image now gets its old meaning back, by tag where the image is still here.
 */
const upScript = `set -eu
file=$1 project=$2 limit=$3 begin=$4 end=$5 images=$6; shift 6
compose() { docker compose --file "$file" --project-name "$project" "$@"; }
compose config --quiet
while [ "$images" -gt 0 ]; do
  current=$(docker image inspect --format '{{.Id}}' -- "$1" 2>/dev/null || true)
  if [ -n "$2" ] && [ "$current" != "$2" ] && docker image inspect -- "$2" >/dev/null 2>&1; then
    docker tag "$2" "$1"
  elif [ -z "$current" ]; then
    docker pull --quiet -- "$1" >/dev/null || {
      echo "the image $1 is not on the host and could not be pulled; load it there (docker load) or open the way to its registry" >&2
      exit 1
    }
  fi
  images=$((images - 1)); shift 2
done
if [ -n "$begin" ]; then
  trap 'sh -c "$end"' EXIT
  sh -c "$begin"
fi
for container; do
  echo "container $container was not made by this project: stopped and renamed" >&2
  docker update --restart=no -- "$container" >/dev/null
  docker stop -- "$container" >/dev/null
  docker rename "$container" "$container.displaced-$(date -u +%Y%m%dT%H%M%SZ)"
done
# Compose starts what is stopped, but refuses what is paused and gives up at once on what is unhealthy.
for id in $(compose ps --all --quiet); do
  case $(docker inspect --format '{{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$id") in
    "paused "*) docker unpause "$id" >/dev/null; docker restart "$id" >/dev/null ;;
    "running unhealthy") docker restart "$id" >/dev/null ;;
  esac
done
if ! message=$(compose up --detach --wait --wait-timeout "$limit" --remove-orphans --pull never 2>&1); then
  printf '%s\\n' "$message" | tail -n 20 >&2
  for id in $(compose ps --all --quiet); do
    docker inspect --format '{{.Name}} {{.State.Status}} {{with .State.Health}}{{.Status}}{{end}}' "$id" |
      grep -v ' running healthy$' | while read -r name state; do
        if panic=$(docker logs --tail 500 "$id" 2>&1 | grep '^panic: '); then
          echo "$name is $state: $(printf '%s\\n' "$panic" | tail -n 1)" >&2
        else
          echo "$name is $state; its last lines:" >&2
          docker logs --tail 10 "$id" 2>&1 | sed 's/^/  /' >&2
        fi
      done
  done
  exit 1
fi`;

/** POSIX shell for the moments in which containers are others: nothing where it is empty. */
export interface Hold {
  readonly begin: string;
  readonly end: string;
}

export interface UpRequest {
  readonly file: string;
  readonly project: string;
  readonly waitTimeoutSeconds: number;
  /** Image references with the id that each had at the last deployment. */
  readonly images: readonly (readonly [reference: string, id: string])[];
  readonly hold: Hold;
  /** Names of containers in the way. */
  readonly displace: readonly string[];
}

/** Validates the file, gets missing images, recreates what changed, and waits until all is healthy. */
export async function composeUp(host: SshHost, request: UpRequest): Promise<void> {
  const head = [
    request.file,
    request.project,
    String(request.waitTimeoutSeconds),
    request.hold.begin,
    request.hold.end,
    String(request.images.length),
  ];
  await host.run(upScript, [...head, ...request.images.flat(), ...request.displace], {
    action: `bring up the compose project ${request.project}`,
  });
}

/** Restarts containers, by id. */
export async function restartContainers(host: SshHost, ids: readonly string[]): Promise<void> {
  await host.run('docker restart "$@" >/dev/null', ids, { action: "restart containers" });
}

/** Arguments: compose file, project. Without the file the containers are found by their label. Volumes stay. */
const downScript = `set -eu
if [ -f "$1" ]; then docker compose --file "$1" --project-name "$2" down --remove-orphans 2>&1
else docker compose --project-name "$2" down --remove-orphans 2>&1; fi >&2`;

/** Stops and removes containers and networks of a project; volumes and bind-mounted data stay. */
export async function composeDown(host: SshHost, file: string, project: string): Promise<void> {
  await host.run(downScript, [file, project], { action: `take down the compose project ${project}` });
}
