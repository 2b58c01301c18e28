import { isIPv4 } from "node:net";
import * as v from "valibot";
import { isCronExpression } from "./cron.ts";
import { described } from "./setting.ts";

/** Forms of values that several keys have. */

const DNS_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
// The jobs ask for this much; the API server refuses a smaller limit.
const LEAST_MEMORY_BYTES = 64 * 2 ** 20;
const UNIT_BYTES: Readonly<Record<string, number>> = { M: 1e6, G: 1e9, Mi: 2 ** 20, Gi: 2 ** 30 };

/** Whether a name has dots between labels, and is no address. */
export const isDnsName = (name: string): boolean =>
  name.length <= 253 && name.split(".").every((label) => DNS_LABEL.test(label)) && !/(^|\.)\d+$/.test(name);

export const trueOrFalse = described("true or false", v.pipe(v.boolean()));

export const port = described(
  "a TCP port: a whole number from 1 to 65535",
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
);

/** One line, not empty; what it means depends on the key. */
export const line = v.pipe(v.string(), v.minLength(1), v.regex(/^[^\r\n\0]*$/));

// It ends up in unit files: plain characters only, so that nothing needs quoting.
export const calendar = described(
  "a calendar expression of systemd",
  v.pipe(v.string(), v.regex(/^[\w*:.,/~ -]+$/)),
);

export const maintenanceMode = described(
  "plan, which counts and shows what would go, or apply, which removes it",
  v.picklist(["plan", "apply"]),
);

export const dnsLabel = described(
  "a DNS label: lower-case letters, digits and dashes, at most 63",
  v.pipe(v.string(), v.regex(DNS_LABEL)),
);

export const dnsName = described("a DNS name, in lower case", v.pipe(v.string(), v.check(isDnsName)));

export const ipv4 = described("an IPv4 address", v.pipe(v.string(), v.check(isIPv4)));

export const url = described(
  "a URL: http or https, no credentials, no trailing slash",
  v.pipe(v.string(), v.check(isUrl)),
);

export const image = described(
  "an image reference of one version: a tag with a full x.y.z version, or an @sha256: digest",
  v.pipe(v.string(), v.check(isPinnedImage)),
);

export const cron = described(
  "a cron expression of five fields, UTC",
  v.pipe(v.string(), v.check(isCronExpression)),
);

export const memory = described(
  "an amount of memory with unit M, Mi, G or Gi, at least 64Mi",
  v.pipe(
    v.string(),
    v.check((text) => (memoryBytes(text) ?? 0) >= LEAST_MEMORY_BYTES),
  ),
);

export const cidr = described(
  "IPv4 addresses as ADDRESS/BITS, with no bit set beyond BITS",
  v.pipe(v.string(), v.check(isCidr)),
);

/** Bytes for programs that know powers of two only: nginx, Docker. */
export const binarySize = described(
  "a whole number with unit Mi or Gi",
  v.pipe(v.string(), v.regex(/^[1-9]\d{0,6}(Mi|Gi)$/)),
);

/** Whether it is a network: an address with host bits would be refused by some programs and be another one to others. */
function isCidr(text: string): boolean {
  const [, address = "", bits = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  if (!isIPv4(address) || Number(bits) > 32) return false;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  return number % 2 ** (32 - Number(bits)) === 0;
}

function isUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !["http:", "https:"].includes(url.protocol)) return false;
  const hasMore = url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "";
  return !hasMore && !value.endsWith("/") && !/\s/.test(value);
}

/**
 * Whether an image reference names one version: a digest, or a tag that holds a full x.y.z version. Such a tag can be
 * pushed again by its owner; only a digest is certain.
 * `latest`, `alpine`, `2` and `1.28` move on by themselves, and every pull may then bring another program.
 */
function isPinnedImage(reference: string): boolean {
  if (!/^[a-z0-9][\w./:@-]*$/.test(reference)) return false;
  if (reference.includes("@")) return /@sha256:[0-9a-f]{64}$/.test(reference);
  const lastPart = reference.slice(reference.lastIndexOf("/") + 1);
  const [name, tag, ...rest] = lastPart.split(":");
  const isFullVersion = tag !== undefined && /^v?\d+\.\d+\.\d+([-.+_][\w.+-]*)?$/.test(tag);
  return name !== "" && rest.length === 0 && isFullVersion;
}

// Without a unit it would be bytes, which is hardly ever meant.
function memoryBytes(text: string): number | undefined {
  const [, count, unit = ""] = /^([1-9]\d*)(M|G|Mi|Gi)$/.exec(text) ?? [];
  const factor = UNIT_BYTES[unit];
  return count === undefined || factor === undefined ? undefined : Number(count) * factor;
}
