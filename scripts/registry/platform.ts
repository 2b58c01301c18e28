/** A platform as indexes and configurations write it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Empty where there is none, or only the usual one. */
  readonly variant: string;
}

const architectures: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386",
  armhf: "arm",
};
/** Variants that everybody means who names none. */
const usualVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

/**
 * The platform that `os/architecture[/variant]` spells, in its normal form; undefined when it spells none.
 *
 * Source: containerd/platforms, database.go (normalizeArch).
 */
export function parsePlatform(text: string): Platform | undefined {
  const [os = "", given = "", variant = "", ...rest] = text.toLowerCase().split("/");
  if (!/^[a-z0-9_.-]+$/.test(os) || !/^[a-z0-9_.-]+$/.test(given) || rest.length > 0) return undefined;
  if (variant !== "" && !/^[a-z0-9_.-]+$/.test(variant)) return undefined;
  const architecture = architectures[given] ?? given;
  const isUsual =
    variant === usualVariants[architecture] || variant === usualVariants[architecture]?.slice(1);
  return { os, architecture, variant: isUsual ? "" : variant };
}

/** Whether two texts mean the same platform. */
export function isSamePlatform(one: string, other: string): boolean {
  const [a, b] = [parsePlatform(one), parsePlatform(other)];
  if (!a || !b) return one === other;
  return a.os === b.os && a.architecture === b.architecture && a.variant === b.variant;
}

/** Whether an offer serves who wants a platform; who names no variant takes any. */
export function serves(offered: string, wanted: string): boolean {
  const [offer, wish] = [parsePlatform(offered), parsePlatform(wanted)];
  if (!offer || !wish) return offered === wanted;
  const fits = offer.os === wish.os && offer.architecture === wish.architecture;
  const namesVariant = wanted.split("/").length > 2;
  return fits && (!namesVariant || offer.variant === wish.variant);
}
