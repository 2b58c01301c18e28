import type { EntryFact } from "../facts.ts";
import { recordsOf } from "./records.ts";

/**
 * Scripts for POSIX shell with GNU tools, as root. All of them only read. The first argument stands before every path of
 * the host, for tests; else it is empty.
 */

/**
 * Arguments: root, directory. Type, mode, owner, size and path of what lies in it, down to the third level and not into
 * the stores.
 */
export const entriesScript = `set -eu
export LC_ALL=C
if [ ! -d "$1$2" ]; then
  found=$(docker ps --all --format '{{.Names}} ({{.Image}}) with {{if .Mounts}}{{.Mounts}}{{else}}no mount{{end}}' --no-trunc 2>/dev/null | paste -sd';') || true
  echo "there is no directory $2 on the host; name the registry's with --directory. Containers there: \${found:-none}" >&2
  exit 1
fi
cd "$1$2"
find . -mindepth 1 -maxdepth 3 \\( -path ./data/'*'/docker -prune -o -printf '%y\\0%m\\0%u\\0%s\\0%P\\0' \\)`;

export function entriesOf(directory: string, output: Buffer): EntryFact[] {
  return recordsOf(output, 5)
    .map(([type = "", mode = "", owner = "", size = "", path = ""]) => ({
      path: `${directory}/${path}`,
      type,
      mode: mode.padStart(4, "0"),
      owner,
      sizeBytes: Number(size),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Values of keys that name a password, as far as the end of the line. The text stays on the host. Not `htpasswd`, which
 * names a file.
 */
const hideSecrets = `sed -E 's/(^|[^[:alpha:]])((password|passwd|secret|token|authorization|accesskey|secretkey)[[:alpha:]_]*"?[[:space:]]*[:= ][[:space:]]*)[^[:space:]].*$/\\1\\2(hidden)/I'`;

/** Arguments: root, then paths. Path of each that is a file, and what the command prints of it. */
const ofEachFile = (command: string) => `set -eu
export LC_ALL=C
root=$1; shift
for path; do
  [ -f "$root$path" ] || continue
  printf '%s\\0' "$path"
  ${command} -- "$root$path"
  printf '\\0'
done`;

/** The texts, with secrets hidden. */
export const textsScript = ofEachFile(hideSecrets);

/** The names in password files; the hashes stay on the host. */
export const usersScript = ofEachFile("sed -n 's/^\\([^:#][^:]*\\):.*/\\1/p'");

/** The certificates; of a file that holds a key too, only those. */
export const certificatesScript = ofEachFile(
  "sed -n '/-----BEGIN CERTIFICATE-----/,/-----END CERTIFICATE-----/p'",
);

/** Arguments: root, directory. The mount points at or below it. */
export const mountsScript = `set -eu
[ -r /proc/self/mounts ]
while read -r _ target _; do
  case $target in "$2" | "$2"/*) printf '%s\\0' "$target" ;; esac
done </proc/self/mounts`;
