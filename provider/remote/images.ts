import type { SshHost } from "../ssh/host.ts";

/** Argument: reference. Prints the id, or nothing where the engine has no such image; any other answer is an error. */
const idScript = `
export LC_ALL=C
if id=$(docker image inspect --format '{{.Id}}' -- "$1" 2>&1); then echo "$id"; exit 0; fi
case $id in *"No such image"* | *"no such image"*) exit 0 ;; esac
echo "$id" >&2; exit 1`;

/** Id of the image that a reference names on the host; undefined where it names none. */
export async function imageId(host: SshHost, reference: string): Promise<string | undefined> {
  const { stdout } = await host.run(idScript, [reference], { action: `check the image ${reference}` });
  return stdout.toString("utf8").trim() || undefined;
}

/**
 * Arguments: reference, id that it had ("" when unknown). An image that is there is taken as it is: one that was loaded
 * needs no registry. A reference that names another image gets its old meaning back, where that image is still here.
 */
const haveScript = `set -eu
current=$(docker image inspect --format '{{.Id}}' -- "$1" 2>/dev/null || true)
if [ -n "$2" ] && [ "$current" != "$2" ] && docker image inspect -- "$2" >/dev/null 2>&1; then
  docker tag "$2" "$1"
elif [ -z "$current" ] || { [ -n "$2" ] && [ "$current" != "$2" ]; }; then
  message=$(docker pull --quiet -- "$1" 2>&1) || {
    printf '%s\\n' "$message" | tail -n 3 >&2
    echo "the image $1 is not on the host and could not be pulled; load it there (docker load) or open the way to its registry" >&2
    exit 1
  }
fi
docker image inspect --format '{{.Id}}' -- "$1"`;

/** Has the image on the host and returns its id. `known`: the id that the reference had before. */
export async function haveImage(host: SshHost, reference: string, known: string): Promise<string> {
  const { stdout } = await host.run(haveScript, [reference, known], { action: `get the image ${reference}` });
  return stdout.toString("utf8").trim().split("\n").at(-1) ?? "";
}
