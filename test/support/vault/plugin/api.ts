import type { Bag } from "../../../../provider/kinds/kind.ts";

/** What Go says, in whose words the plugin reports a connection that fails. */
const goWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ENOTFOUND: "no such host",
  DEPTH_ZERO_SELF_SIGNED_CERT:
    "tls: failed to verify certificate: x509: certificate signed by unknown authority",
};

/** Vault's HTTP API, asked as the plugin asks it: the token looks itself up first. */
export class VaultApi {
  #address = process.env.VAULT_ADDR ?? "";
  #makesChildToken = true;
  #token: Promise<string> | undefined;

  configure(config: Bag): void {
    if (typeof config.address === "string") this.#address = config.address;
    this.#makesChildToken = String(config.skipChildToken) !== "true";
  }

  /** The answer's data; undefined where there is nothing. */
  async read(path: string, action: string): Promise<Bag | undefined> {
    const token = await this.#login();
    return await this.#ask("GET", path, token, undefined).catch((error: Error) => {
      throw new Error(`error ${action}: ${error.message}`);
    });
  }

  async write(path: string, body: Bag): Promise<void> {
    await this.#ask("PUT", path, await this.#login(), body);
  }

  async remove(path: string): Promise<void> {
    await this.#ask("DELETE", path, await this.#login(), undefined);
  }

  #login(): Promise<string> {
    this.#token ??= this.#lookUp();
    return this.#token;
  }

  async #lookUp(): Promise<string> {
    const { VAULT_TOKEN: token = "" } = process.env;
    if (this.#address === "") throw new Error("failed to configure Vault address");
    if (token === "") throw new Error("no vault token set on Client");
    await this.#ask("GET", "auth/token/lookup-self", token, undefined).catch((error: Error) => {
      throw new Error(`failed to lookup token, err=${error.message}`);
    });
    if (this.#makesChildToken) await this.#ask("POST", "auth/token/create", token, { ttl: "20m" });
    return token;
  }

  async #ask(method: string, path: string, token: string, body: Bag | undefined): Promise<Bag | undefined> {
    const url = `${this.#address}/v1/${path}`;
    const headers = { "X-Vault-Token": token, "X-Vault-Request": "true" };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(url, { method, headers, ...sent }).catch((error: Error) => {
      const { code = "" } = (error.cause ?? {}) as { code?: string };
      throw new Error(`${method} "${url}": ${goWords[code] ?? code}`);
    });
    const answer = (await response.json().catch(() => ({}))) as { data?: Bag; errors?: string[] };
    // A version that is deleted is a 404 that has data.
    if (response.ok || (response.status === 404 && answer.data)) return answer.data ?? {};
    if (response.status === 404) return undefined;
    const errors = (answer.errors ?? []).map((each) => `* ${each}`).join("\n");
    throw new Error(
      `Error making API request.\n\nURL: ${method} ${url}\nCode: ${response.status}. Errors:\n\n${errors}`,
    );
  }
}
