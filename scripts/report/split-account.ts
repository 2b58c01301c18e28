import type { Account } from "../http/exchange.ts";

/** A URL without the account in it, and the account: a message may then show the URL, and no header holds both. */
export function splitAccount(text: string): { readonly url: URL; readonly account: Account | undefined } {
  const url = new URL(text);
  const account = { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  url.username = "";
  url.password = "";
  return { url, account: account.user + account.password === "" ? undefined : account };
}
