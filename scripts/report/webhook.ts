import { describeError, systemCode } from "../cli/errors.ts";
import { sendOnce } from "../http/exchange.ts";
import { splitAccount } from "./split-account.ts";

/** A webhook that did not take a message. The text never holds its URL, which is a secret. */
export class WebhookError extends Error {
  override readonly name = "WebhookError";
}

/** Posts a message to a Slack-compatible webhook, once. Errors: WebhookError for everything but a 2xx answer. */
export async function postMessage(webhook: string, text: string): Promise<void> {
  const { url, account } = splitAccount(webhook);
  const answer = await sendOnce(url.href, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new TextEncoder().encode(JSON.stringify({ text })),
    ...(account && { account }),
  }).catch((error: unknown) => {
    const reason = systemCode(error) ?? describeError(error);
    throw new WebhookError(`the webhook cannot be reached: ${reason}`);
  });
  if (answer.status < 200 || answer.status > 299)
    throw new WebhookError(`the webhook answered ${answer.status}`);
}
