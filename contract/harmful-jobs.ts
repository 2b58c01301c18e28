/**
 * Scheduled jobs of a host that take away what tags need: `registry garbage-collect -m`, which removes the children of
 * every tagged index, and the two cleanup scripts that ran beside it. A host that is taken over may still have them.
 */

/** A line of a crontab, unit or script that must not run beside a registry. */
export interface HarmfulJob {
  /** Absolute path on the host. */
  readonly file: string;
  /** From 1; of a command over several lines the first. */
  readonly line: number;
  readonly command: string;
  readonly reason: string;
}

const CLEANUP_SCRIPTS = ["cleanup-tags.sh", "fix-broken-blobs.sh"];

/** Directories and files that jobs are scheduled in. */
const JOB_PATHS = [
  "/etc/crontab",
  "/etc/anacrontab",
  "/etc/cron.*",
  "/var/spool/cron",
  "/etc/systemd/system",
  "/etc/systemd/user",
  "/run/systemd/system",
  "/usr/local/lib/systemd/system",
  "/usr/lib/systemd/system",
  "/root/.config/systemd/user",
  "/home/*/.config/systemd/user",
];

const WORDS = `garbage-collect|${CLEANUP_SCRIPTS.map((name) => name.replaceAll(".", "[.]")).join("|")}`;

/** Last line of a complete listing. */
export const LISTING_END = "-- end of jobs --";

/**
 * POSIX shell, for root: a function `list_jobs [ROOT]` that prints each file that schedules or runs a harmful job, as
 * {@link harmfulJobs} reads it, and nothing of any other file. Scripts that a crontab or a unit names by their path are
 * searched too. ROOT stands before every path. It writes nothing. Needs the tools of GNU.
 */
export const listJobsFunction = `list_jobs() {
  jobs=$(for file in ${JOB_PATHS.map((path) => `"\${1-}"${path}`).join(" ")}; do
    [ ! -e "$file" ] || printf '%s\\n' "$file"
  done | xargs -r -d '\\n' grep -RIl -D skip '' -- 2>/dev/null |
    xargs -r -d '\\n' readlink -f -- | sort -u) || true
  # Every host with systemd has some.
  [ -n "$jobs" ] || return 1
  scripts=$(printf '%s\\n' "$jobs" | xargs -r -d '\\n' grep -ohE '/[A-Za-z0-9_.+/-]+' -- | sort -u | while IFS= read -r path; do
    case $path in
      # The programs speak of these commands and run none; what the cleanup scripts say of themselves adds nothing.
      */regwarden.mjs | ${CLEANUP_SCRIPTS.map((name) => `*/${name}`).join(" | ")}) continue ;;
      /proc/* | /sys/* | /dev/*) continue ;;
    esac
    [ ! -f "$path" ] || printf '%s\\n' "$path"
  done) || true
  printf '%s\\n' "$jobs" "$scripts" | sed '/^$/d' | sort -u | xargs -r -d '\\n' grep -IlE '${WORDS}' -- |
    xargs -r -d '\\n' grep -nHZ '' -- || true
  printf '%s\\n' '${LISTING_END}'
}`;

interface Line {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

/**
 * The harmful jobs of a listing: lines `FILE NUL NUMBER:TEXT`, as `grep -nHZ` prints them. Undefined when the listing
 * was cut off: that no job was found then says nothing.
 */
export function harmfulJobs(listing: string): readonly HarmfulJob[] | undefined {
  const lines = listing.split("\n");
  if (!lines.includes(LISTING_END)) return undefined;
  return joined(lines.flatMap(lineOf)).flatMap(({ file, line, text }) => {
    const reason = isComment(text) ? undefined : reasonOf(text);
    return reason === undefined ? [] : [{ file, line, command: text.trim(), reason }];
  });
}

function lineOf(text: string): Line[] {
  const [, file, number, rest] = /^([^\0]+)\0(\d+):(.*)$/.exec(text) ?? [];
  return file === undefined || rest === undefined ? [] : [{ file, line: Number(number), text: rest }];
}

/** Commands over several lines as one. Cron knows no continuation, so a backslash at its line's end is rare there. */
function joined(lines: readonly Line[]): Line[] {
  const commands: Line[] = [];
  let open: Line | undefined;
  for (const each of lines) {
    if (open !== undefined && open.file !== each.file) {
      commands.push(open);
      open = undefined;
    }
    const whole: Line = open === undefined ? each : { ...open, text: `${open.text} ${each.text.trim()}` };
    const isContinued = whole.text.endsWith("\\") && !isComment(whole.text);
    open = isContinued ? { ...whole, text: whole.text.slice(0, -1).trimEnd() } : undefined;
    if (!isContinued) commands.push(whole);
  }
  return open === undefined ? commands : [...commands, open];
}

function isComment(text: string): boolean {
  return /^\s*[#;]/.test(text);
}

function reasonOf(text: string): string | undefined {
  const script = CLEANUP_SCRIPTS.find((name) =>
    new RegExp(`(^|[\\s/"'=])${name.replaceAll(".", "\\.")}\\b`).test(text),
  );
  if (script !== undefined) return `${script} removes tags and links without regard to what needs them`;
  const removes = text.split("garbage-collect").slice(1).some(deletesUntagged);
  return removes ? "garbage-collect with -m removes the children of tagged indexes" : undefined;
}

/** Whether the arguments after `garbage-collect`, up to the end of the command, ask for it. */
function deletesUntagged(rest: string): boolean {
  const [own = ""] = rest.split(/[;|&>]/);
  const words = own.split(/[\s"',()[\]`]+/);
  const asks = words.some(
    (word) => /^-[a-z]*m[a-z]*$/.test(word) || /^--delete-untagged(=(true|1|t))?$/i.test(word),
  );
  const isDry = words.some(
    (word) => /^-[a-z]*d[a-z]*$/.test(word) || /^--dry-run(=(true|1|t))?$/i.test(word),
  );
  return asks && !isDry;
}
