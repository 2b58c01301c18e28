import type { SshHost } from "../ssh/host.ts";
import { digestOf } from "./entry.ts";

export interface Ownership {
  /** Octal, four digits. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
}

export interface WriteRequest extends Ownership {
  readonly path: string;
  readonly content: Buffer | string;
  /** Shell command in which `{}` stands for the temporary copy. */
  readonly validate?: string | undefined;
  readonly backups?: Backups | undefined;
}

/** Where copies of replaced and removed files go, and which are kept. */
export interface Backups {
  readonly directory: string;
  /**
   * `last`: the last ten. `first`: what was there before this program, and no copy of a later one: old keys and
   * passwords are of use to an intruder alone. `none`: no copy is made; of earlier ones the first stays.
   */
  readonly keep: "last" | "first" | "none";
}

const copiesKept = 10;

/**
 * `keep SOURCE`: copies what stands at SOURCE into the backup directory $backup, if there is one, by the rule $keep.
 * `displace PATH`: renames what stands there, a directory for example, so that nothing in it is lost.
 */
const keepFunctions = `
now() { date -u +%Y%m%dT%H%M%S.%NZ; }
keep() {
  [ -n "$backup" ] || return 0
  mkdir -p -m 0700 -- "$backup"
  copy="$backup/$(printf %s "\${1#/}" | tr / _)"
  set -- "$1" "$copy".20[0-9][0-9][01][0-9][0-3][0-9]T*Z
  [ -e "$2" ] || [ -L "$2" ] || set -- "$1"
  case $keep:$# in last:* | first:1) cp -a -- "$1" "$copy.$(now)" ;; esac
  shift
  if [ "$keep" = last ]; then
    while [ "$#" -ge ${copiesKept} ]; do rm -f -- "$1"; shift; done
  elif [ "$#" -gt 1 ]; then
    shift
    rm -f -- "$@"
  fi
}
displace() { mv -T -- "$1" "$1.displaced-$(now)"; }`;

/**
 * Arguments: path, mode, owner, group, validation command, backup directory, which backups to keep. Standard input: a line with the SHA-256 of
 * the content, then the content. The digest stands first so that an input that ends early is never taken for the file.
 */
const writeScript = `set -eu
export LC_ALL=C
path=$1 mode=$2 owner=$3 group=$4 validate=$5 backup=$6 keep=$7
${keepFunctions}
IFS= read -r expected
directory=$(dirname -- "$path")
[ -d "$directory" ] || { echo "its directory $directory does not exist" >&2; exit 1; }
umask 077
REGWARDEN_FILE=$(mktemp -- "$directory/.regwarden.XXXXXXXXXX")
export REGWARDEN_FILE
trap 'rm -f -- "$REGWARDEN_FILE"' EXIT
trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM; trap 'exit 141' PIPE
cat >"$REGWARDEN_FILE"
digest=$(sha256sum <"$REGWARDEN_FILE")
[ "\${digest%% *}" = "$expected" ] || { echo "the content did not arrive complete" >&2; exit 1; }
chown -- "$owner:$group" "$REGWARDEN_FILE"
chmod -- "$mode" "$REGWARDEN_FILE"
if [ -n "$validate" ]; then
  message=$(sh -c "$validate" 2>&1 </dev/null) || { printf 'the new content is not valid:\\n%s\\n' "$message" >&2; exit 1; }
fi
if [ -L "$path" ] || [ -f "$path" ]; then keep "$path"; elif [ -e "$path" ]; then displace "$path"; fi
sync -- "$REGWARDEN_FILE"
mv -fT -- "$REGWARDEN_FILE" "$path"
sync -- "$directory"`;

/**
 * Puts a file in place: temporary file in the same directory, digest checked, owner and mode set, validated, old
 * version kept, flushed, renamed. Whatever fails before the rename leaves the old file as it was. A directory in the
 * file's place is renamed, a symbolic link is replaced and not followed.
 */
export async function writeFile(host: SshHost, request: WriteRequest): Promise<void> {
  const content = Buffer.from(request.content);
  const stdin = Buffer.concat([Buffer.from(`${digestOf(content)}\n`), content]);
  const validate = request.validate?.replaceAll("{}", '"$REGWARDEN_FILE"') ?? "";
  const args = [
    request.path,
    request.mode,
    request.owner,
    request.group,
    validate,
    ...backupArguments(request.backups),
  ];
  await host.run(writeScript, args, { stdin, action: `write ${request.path}` });
}

function backupArguments(backups: Backups | undefined): [directory: string, keep: string] {
  return [backups?.directory ?? "", backups?.keep ?? "last"];
}

const ownScript = `set -eu
chown -h -- "$3:$4" "$1"
chmod -- "$2" "$1"`;

/** Sets owner and mode of what is there, and nothing else. */
export async function setOwnership(
  host: SshHost,
  path: string,
  { mode, owner, group }: Ownership,
): Promise<void> {
  await host.run(ownScript, [path, mode, owner, group], { action: `set owner and mode of ${path}` });
}

/** Arguments: path, backup directory, which backups to keep, what is to stand there instead (none where that is not there). */
const removeScript = `set -eu
path=$1 backup=$2 keep=$3 instead=$4
${keepFunctions}
if [ -e "$path" ] && [ ! -L "$path" ] && [ ! -f "$path" ]; then
  echo "it is not a file any more and was left as it is"; exit 0
fi
if [ -L "$path" ] || [ -f "$path" ]; then keep "$path"; fi
if [ -n "$instead" ] && { [ -L "$instead" ] || [ -f "$instead" ]; }; then
  cp -a -- "$instead" "$path.regwarden-old"
  mv -fT -- "$path.regwarden-old" "$path"
else rm -f -- "$path"; fi`;

export interface RemoveOptions {
  readonly backups?: Backups | undefined;
  /** Path of a copy that takes the file's place, with its owner, mode and time. */
  readonly restoreFrom?: string | undefined;
}

/** Removes a file or a link; anything else stays. Returns a warning where something stayed. */
export async function removeFile(
  host: SshHost,
  path: string,
  { backups, restoreFrom = "" }: RemoveOptions = {},
): Promise<string | undefined> {
  const { stdout } = await host.run(removeScript, [path, ...backupArguments(backups), restoreFrom], {
    action: `remove ${path}`,
  });
  return stdout.length > 0 ? `${path}: ${stdout.toString("utf8").trim()}` : undefined;
}

const makeDirectoryScript = `set -eu
path=$1
backup=
${keepFunctions}
if [ -L "$path" ] && [ -d "$path" ]; then
  echo "it is a symbolic link to the directory $(readlink -- "$path"), which is neither moved nor replaced; mount that directory there (mount --bind), or name it in the configuration" >&2
  exit 1
fi
if [ -L "$path" ] || { [ -e "$path" ] && [ ! -d "$path" ]; }; then displace "$path"; fi
mkdir -p -- "$path"
chown -- "$3:$4" "$path"
chmod -- "$2" "$path"`;

/** Makes a directory with its parents, or adopts the one that is there. Anything else in its place is renamed. */
export async function makeDirectory(
  host: SshHost,
  path: string,
  { mode, owner, group }: Ownership,
): Promise<void> {
  await host.run(makeDirectoryScript, [path, mode, owner, group], { action: `make the directory ${path}` });
}

const removeDirectoryScript = `
[ -d "$1" ] && [ ! -L "$1" ] || exit 0
rmdir -- "$1" 2>/dev/null || { [ ! -d "$1" ] || echo "it is not empty and was left as it is"; }`;

/** Removes an empty directory. What is in a directory is never deleted: then a warning comes back. */
export async function removeDirectory(host: SshHost, path: string): Promise<string | undefined> {
  const { stdout } = await host.run(removeDirectoryScript, [path], {
    action: `remove the directory ${path}`,
  });
  return stdout.length > 0 ? `${path}: ${stdout.toString("utf8").trim()}` : undefined;
}
