/**
 * The next page that a Link header names, on whatever server.
 *
 * Source: OCI distribution spec, "Listing tags"; RFC 8288.
 */
export function nextLink(link: string | null, current: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(link ?? "") ?? [];
  return target === undefined ? undefined : (URL.parse(target, current.href) ?? undefined);
}
