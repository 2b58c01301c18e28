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
  readonly backupDirectory?: string | undefined;
}

/**
 * `keep SOURCE`: copies what stands at SOURCE into the backup directory $backup, if there is one.
 * `displace PATH`: renames what stands there, a directory for example, so that nothing in it is lost.
 */
const keepFunctions = `
now() { date -u +%Y%m%dT%H%M%S.%NZ; }
keep() {
  [ -n "$backup" ] || return 0
  mkdir -p -m 0700 -- "$backup"
  cp -a -- "$1" "$backup/$(printf %s "\${1#/}" | tr / _).$(now)"
}
displace() { mv -T -- "$1" "$1.displaced-$(now)"; }`;

/**
 * Arguments: path, mode, owner, group, validation command, backup directory. Standard input: a line with the SHA-256 of
 * the content, then the content. The digest stands first so that an input that ends early is never taken for the file.
 */
const writeScript = `set -eu
export LC_ALL=C
path=$1 mode=$2 owner=$3 group=$4 validate=$5 backup=$6
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
    request.backupDirectory ?? "",
  ];
  await host.run(writeScript, args, { stdin, action: `write ${request.path}` });
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

const removeScript = `set -eu
path=$1 backup=$2
${keepFunctions}
if [ -L "$path" ] || [ -f "$path" ]; then keep "$path"; rm -f -- "$path"
elif [ -e "$path" ]; then echo "it is not a file any more and was left as it is"; fi`;

/** Removes a file or a link; anything else stays. Returns a warning where something stayed. */
export async function removeFile(
  host: SshHost,
  path: string,
  backupDirectory?: string,
): Promise<string | undefined> {
  const { stdout } = await host.run(removeScript, [path, backupDirectory ?? ""], {
    action: `remove ${path}`,
  });
  return stdout.length > 0 ? `${path}: ${stdout.toString("utf8").trim()}` : undefined;
}

const makeDirectoryScript = `set -eu
path=$1
backup=
${keepFunctions}
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
