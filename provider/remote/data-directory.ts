import { dataMarker, dataRecordDirectory } from "../../contract/host-paths.ts";
import type { SshHost } from "../ssh/host.ts";
import type { Ownership } from "./write.ts";

/** A directory with data that exists nowhere else. */
export interface DataDirectory {
  readonly path: string;
  /** What it holds; names its record on the host. */
  readonly name: string;
  /** Directory that must be a mount point: the path itself or one above it. */
  readonly mount?: string | undefined;
  /** Container that serves it, and where it has it mounted. */
  readonly container?: string | undefined;
  readonly target?: string | undefined;
}

/** What the host knows of a data directory. */
export interface DataFacts {
  /** False where `mount` is asked for and is no mount point. */
  readonly isMounted: boolean;
  /** What stands at the path. */
  readonly entry: "gone" | "directory" | "link" | "other";
  /** Whether the directory holds nothing but its marker. */
  readonly isEmpty: boolean;
  /** The marker's text; undefined without a marker. */
  readonly marker: string | undefined;
  readonly record: { readonly path: string; readonly id: string } | undefined;
  /** Whether the path in the record, another than this, still has a data directory with the record's id. */
  readonly isStillThere: boolean;
  /** The directory that the container has mounted; undefined where there is no such container. */
  readonly served: string | undefined;
}

/**
 * Arguments: path, name, mount, container, target in it. Prints a fact a line, `KEY VALUE`. What cannot be read is an
 * error and not a fact: a disk that answers with I/O errors is no directory that is gone.
 */
const factsScript = `set -eu
export LC_ALL=C
path=$1 name=$2 mount=$3 container=$4 target=$5
record=${dataRecordDirectory}/$name
[ -z "$mount" ] || mountpoint -q -- "$mount" || echo "unmounted $mount"
kind() {
  if facts=$(stat -c %F -- "$1" 2>&1); then
    case $facts in directory) echo directory ;; "symbolic link") echo link ;; *) echo other ;; esac
  else
    case $facts in
      *"No such file or directory"* | *"Not a directory"*) echo gone ;;
      *) echo "$facts" >&2; exit 1 ;;
    esac
  fi
}
entry=$(kind "$path")
echo "entry $entry"
if [ "$entry" = directory ]; then
  first=$(find "$path" -mindepth 1 -maxdepth 1 ! -name ${dataMarker} ! -name lost+found -print -quit)
  [ -z "$first" ] || echo "full yes"
  if [ -f "$path/${dataMarker}" ]; then echo "marker $(head -n 1 -- "$path/${dataMarker}")"; fi
fi
if [ -f "$record" ]; then
  { IFS= read -r recorded && IFS= read -r id; } <"$record" || { echo "$record is not complete" >&2; exit 1; }
  echo "path $recorded"
  echo "id $id"
  if [ "$recorded" != "$path" ] && [ "$(cat -- "$recorded/${dataMarker}" 2>/dev/null)" = "$id" ]; then echo "still yes"; fi
fi
if [ -n "$container" ]; then
  format='{{range .Mounts}}{{if eq .Destination "'$target'"}}{{.Source}}{{end}}{{end}}'
  served=$(docker container inspect --format "$format" -- "$container" 2>/dev/null) && echo "served $served"
fi
exit 0`;

/** What the host knows of a data directory; nothing is changed. */
export async function dataFacts(host: SshHost, data: DataDirectory): Promise<DataFacts> {
  const { path, name, mount = "", container = "", target = "" } = data;
  const { stdout } = await host.run(factsScript, [path, name, mount, container, target], {
    action: `check the data directory ${path}`,
  });
  const facts = new Map(
    stdout
      .toString("utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => {
        const [key = "", ...rest] = line.split(" ");
        return [key, rest.join(" ")] as const;
      }),
  );
  const recordedPath = facts.get("path");
  return {
    isMounted: !facts.has("unmounted"),
    entry: (facts.get("entry") ?? "other") as DataFacts["entry"],
    isEmpty: !facts.has("full"),
    marker: facts.get("marker"),
    record: recordedPath === undefined ? undefined : { path: recordedPath, id: facts.get("id") ?? "" },
    isStillThere: facts.has("still"),
    served: facts.get("served") || undefined,
  };
}

/** Arguments: path, name, id, mode, owner, group. The record comes last: what is not complete is made again. */
const keepScript = `set -eu
path=$1 name=$2 id=$3
mkdir -p -- "$path"
chown -- "$5:$6" "$path"
chmod -- "$4" "$path"
put() {
  temporary=$(mktemp -- "$1.XXXXXXXXXX")
  cat >"$temporary"
  chmod 0644 -- "$temporary"
  sync -- "$temporary"
  mv -fT -- "$temporary" "$1"
  sync -- "$(dirname -- "$1")"
}
if [ "$(cat -- "$path/${dataMarker}" 2>/dev/null)" != "$id" ]; then echo "$id" | put "$path/${dataMarker}"; fi
mkdir -p -m 0755 -- ${dataRecordDirectory}
printf '%s\\n%s\\n' "$path" "$id" | put "${dataRecordDirectory}/$name"`;

/** Makes a data directory, or keeps the one that is there, with its owner and mode; marks and records it. */
export async function keepDataDirectory(
  host: SshHost,
  { path, name }: DataDirectory,
  id: string,
  { mode, owner, group }: Ownership,
): Promise<void> {
  await host.run(keepScript, [path, name, id, mode, owner, group], {
    action: `keep the data directory ${path}`,
  });
}

/** Arguments: path, name. The record goes with an empty directory only, and only when it is about this path. */
const leaveScript = `set -eu
path=$1 record=${dataRecordDirectory}/$2
[ -d "$path" ] && [ ! -L "$path" ] || exit 0
if [ -n "$(find "$path" -mindepth 1 -maxdepth 1 ! -name ${dataMarker} -print -quit)" ]; then
  echo "it holds data and was left as it is"
  exit 0
fi
rm -f -- "$path/${dataMarker}"
rmdir -- "$path" || { echo "it was left as it is"; exit 0; }
if [ "$(head -n 1 -- "$record" 2>/dev/null)" = "$path" ]; then
  rm -f -- "$record"
  rmdir -p -- "$(dirname -- "$record")" 2>/dev/null || true
fi`;

/** Removes a data directory that holds nothing. Any other stays, with its marker and record, and is named in a warning. */
export async function leaveDataDirectory(
  host: SshHost,
  path: string,
  name: string,
): Promise<string | undefined> {
  const { stdout } = await host.run(leaveScript, [path, name], {
    action: `leave the data directory ${path}`,
  });
  return stdout.length > 0 ? `${path}: ${stdout.toString("utf8").trim()}` : undefined;
}
