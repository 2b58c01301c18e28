import { createHash } from "node:crypto";
import { HostError } from "../errors.ts";
import type { SshHost } from "../ssh/host.ts";

/** Mode, owner and group as found, the latter two as name (UNKNOWN where the host has none) and as id. */
export interface FoundOwnership {
  readonly mode: string;
  readonly owner: readonly [name: string, id: string];
  readonly group: readonly [name: string, id: string];
}

/** What stands at a path of the host. */
export type Entry =
  | { readonly type: "gone" }
  | {
      readonly type: "file";
      readonly ownership: FoundOwnership;
      readonly sizeBytes: number;
      readonly sha256: string;
      /** Undefined where the digest is the known one, or the file is too large to be brought here. */
      readonly bytes: Buffer | undefined;
    }
  | { readonly type: "directory"; readonly ownership: FoundOwnership }
  | { readonly type: "link"; readonly target: string }
  | { readonly type: "other"; readonly description: string };

/** Larger files are compared by digest and never shown. */
export const textLimitBytes = 256 * 1024;

/**
 * Arguments: path, transfer limit in bytes. Standard input: the SHA-256 that needs no transfer; of a secret it is one
 * itself, and arguments can be read by every account. Absence differs from "could not check" in
 * stat's message (the C locale's): an I/O error or a forbidden directory must not pass for a deleted file.
 */
const entryScript = `
export LC_ALL=C
IFS= read -r known || true
if ! facts=$(stat -c '%F|%a|%U|%G|%u|%g|%s' -- "$1" 2>&1); then
  case $facts in
    *"No such file or directory"* | *"Not a directory"*) echo gone; exit 0 ;;
  esac
  echo "$facts" >&2; exit 1
fi
echo "$facts"
case $facts in
  "symbolic link|"*) readlink -- "$1" ;;
  "regular file|"* | "regular empty file|"*)
    digest=$(sha256sum <"$1") || exit 1
    digest=\${digest%% *}; echo "$digest"
    [ "$digest" = "$known" ] || [ "\${facts##*|}" -gt "$2" ] || cat -- "$1" ;;
esac`;

/** What stands at a path; a final symbolic link is not followed. */
export async function readEntry(host: SshHost, path: string, knownSha256 = ""): Promise<Entry> {
  const action = `check ${path}`;
  const stdin = `${knownSha256}\n`;
  const { stdout } = await host.run(entryScript, [path, String(textLimitBytes)], { action, stdin });
  const [facts = "", afterFacts] = cutLine(stdout);
  if (facts === "gone") return { type: "gone" };
  const [description = "", mode = "", user = "", group = "", userId = "", groupId = "", size = ""] =
    facts.split("|");
  const ownership = { mode: mode.padStart(4, "0"), owner: [user, userId], group: [group, groupId] } as const;
  if (description === "directory") return { type: "directory", ownership };
  if (description === "symbolic link") return { type: "link", target: cutLine(afterFacts)[0] };
  if (!description.startsWith("regular")) return { type: "other", description };
  const [sha256, content] = cutLine(afterFacts);
  const sizeBytes = Number(size);
  const sent = sha256 !== knownSha256 && sizeBytes <= textLimitBytes;
  if (sent && digestOf(content) !== sha256) {
    throw new HostError(
      "E_REMOTE",
      `${host.name}: ${action}: the file changed while it was read. Run it again.`,
    );
  }
  return { type: "file", ownership, sizeBytes, sha256, bytes: sent ? content : undefined };
}

/** How an entry that is not what was declared reads in a diff. */
export function describeType(entry: Entry): string {
  if (entry.type === "link") return `symbolic link to ${entry.target}`;
  return entry.type === "other" ? entry.description : entry.type;
}

/** Ownership of an entry in the terms of what was declared: ids where that has ids. Empty for what is no file or directory. */
export function ownershipOf(
  entry: Entry,
  declared: { readonly owner: string; readonly group: string } | undefined,
): { mode: string; owner: string; group: string } {
  if (entry.type !== "file" && entry.type !== "directory") return { mode: "", owner: "", group: "" };
  const { mode, owner, group } = entry.ownership;
  return { mode, owner: inTermsOf(declared?.owner, owner), group: inTermsOf(declared?.group, group) };
}

function inTermsOf(declared: string | undefined, [name, id]: readonly [string, string]): string {
  return name === "UNKNOWN" || /^\d+$/.test(declared ?? "") ? id : name;
}

export function digestOf(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

function cutLine(bytes: Buffer): [string, Buffer] {
  const end = bytes.indexOf(10);
  if (end < 0) return [bytes.toString("utf8"), Buffer.alloc(0)];
  return [bytes.subarray(0, end).toString("utf8"), bytes.subarray(end + 1)];
}
