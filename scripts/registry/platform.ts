/** A platform as indexes and configurations write it. */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  /** Null where none is named. */
  readonly variant: string | null;
}

interface Alias {
  readonly architecture: string;
  readonly variant?: string;
}

const aliases: Readonly<Record<string, Alias>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  i386: { architecture: "386" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
};
/** The variant that is meant where none is named. */
const usualVariants: Readonly<Record<string, string>> = { amd64: "v1", arm64: "v8", arm: "v7" };

/**
 * The platform that `os/architecture[/variant]` spells, in its normal form; undefined when it spells none.
 *
 * Source: containerd/platforms, database.go (normalizeArch).
 */
export function parsePlatform(text: string): Platform | undefined {
  const [os = "", given = "", named = "", ...rest] = text.toLowerCase().split("/");
  if (!/^[a-z0-9_.-]+$/.test(os) || !/^[a-z0-9_.-]+$/.test(given) || rest.length > 0) return undefined;
  if (named !== "" && !/^[a-z0-9_.-]+$/.test(named)) return undefined;
  const { architecture, variant = null } = aliases[given] ?? { architecture: given };
  return { os, architecture, variant: named === "" ? variant : named.replace(/^(?=\d)/, "v") };
}

/**
 * Whether an index and a configuration mean the same platform. Variants are compared only where both name one: many
 * builders leave the variant out of the configuration.
 */
export function isSamePlatform(one: string, other: string): boolean {
  const [a, b] = [parsePlatform(one), parsePlatform(other)];
  if (!a || !b) return one === other;
  const isSameVariant = a.variant === null || b.variant === null || a.variant === b.variant;
  return a.os === b.os && a.architecture === b.architecture && isSameVariant;
}

/**
 * Whether an offered platform is one that was wanted. A request without a variant takes any; an offer without one is of
 * the usual variant.
 */
export function serves(offered: string, wanted: string): boolean {
  const [offer, wish] = [parsePlatform(offered), parsePlatform(wanted)];
  if (!offer || !wish) return offered === wanted;
  const fits = offer.os === wish.os && offer.architecture === wish.architecture;
  return fits && (wish.variant === null || variantOf(offer) === variantOf(wish));
}

function variantOf({ architecture, variant }: Platform): string | null {
  return variant ?? usualVariants[architecture] ?? null;
}
