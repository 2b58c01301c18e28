import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Gives the part of some bytes that a request asks for, as registries, proxies and object storages do; all of them where
 * it names no part. Headers as far as they are needed.
 *
 * Source: RFC 9110, "Range Requests".
 */
export function sendRange(
  { method, headers: { range } }: Pick<IncomingMessage, "method" | "headers">,
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  const part = range === undefined ? undefined : partOf(range, bytes.byteLength);
  const body = part ? bytes.subarray(part.first, part.last + 1) : bytes;
  response.writeHead(part ? 206 : 200, {
    ...headers,
    "content-length": body.byteLength,
    ...(part && { "content-range": `bytes ${part.first}-${part.last}/${bytes.byteLength}` }),
  });
  response.end(method === "HEAD" ? undefined : body);
}

function partOf(
  range: string,
  length: number,
): { readonly first: number; readonly last: number } | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
  if (length === 0 || `${first}${last}` === "") return undefined;
  if (first === "") return { first: Math.max(0, length - Number(last)), last: length - 1 };
  return { first: Number(first), last: last === "" ? length - 1 : Math.min(Number(last), length - 1) };
}
