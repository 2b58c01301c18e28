import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { waitUntil } from "../../../lab/machine/wait.ts";
import { freePort } from "../server/free-port.ts";
import { vaultBinary } from "./tool.ts";

/** One request, as Vault's audit log has it. */
interface AuditEntry {
  readonly type: string;
  readonly request: { readonly operation: string; readonly path: string };
  readonly error?: string;
}

/** A real Vault, unsealed, with an engine of version 2 at `secret` and an audit log, in a directory of its own. */
export class VaultServer {
  readonly address: string;
  /** Where {@link sh} runs: documents name files in it. */
  readonly directory: string;
  rootToken = "";
  #unsealKey = "";
  readonly #stop: () => Promise<unknown>;

  private constructor(port: number) {
    this.directory = mkdtempSync(join(tmpdir(), "regwarden-vault-"));
    this.address = `http://127.0.0.1:${port}`;
    const config = join(this.directory, "vault.json");
    const listener = [{ tcp: { address: `127.0.0.1:${port}`, tls_disable: true } }];
    const settings = {
      storage: { inmem: {} },
      listener,
      disable_mlock: true,
      api_addr: this.address,
      // OpenBao lets nobody make an audit log by its API otherwise; Vault does not know it.
      unsafe_allow_api_audit_creation: true,
    };
    writeFileSync(config, JSON.stringify(settings));
    mkdirSync(join(this.directory, "docs"));
    const server = execa(vaultBinary(), ["server", "-config", config], { reject: false });
    this.#stop = () => {
      server.kill();
      return server;
    };
  }

  static async start(): Promise<VaultServer> {
    const vault = new VaultServer(await freePort());
    await waitUntil("Vault", 60, async () => (await vault.#health()) !== undefined, 200);
    const made = await (await vault.#put("init", { secret_shares: 1, secret_threshold: 1 })).json();
    const { keys, root_token: rootToken } = made as { keys: [string]; root_token: string };
    vault.#unsealKey = keys[0];
    vault.rootToken = rootToken;
    await vault.unseal();
    await vault.sh(
      'vault secrets enable -path=secret -version=2 kv && vault audit enable file file_path="$PWD/audit.log"',
    );
    // An engine of version 1 becomes one of version 2 after it has been mounted.
    const isReady = () => vault.sh("vault kv put -mount=secret ready a=b").then(Boolean, () => false);
    await waitUntil("the secrets engine", 60, isReady, 200);
    return vault;
  }

  /** Runs a script with Vault's CLI, by default as an operator who may do anything. */
  async sh(script: string, token = this.rootToken): Promise<string> {
    const { stdout } = await execa("sh", ["-ec", script], {
      cwd: this.directory,
      env: {
        VAULT_ADDR: this.address,
        VAULT_TOKEN: token,
        HOME: this.directory,
        PATH: `${join(vaultBinary(), "..")}:${process.env.PATH}`,
      },
    });
    return stdout;
  }

  /** A file in the directory in which scripts run. */
  file(name: string, content: string): void {
    writeFileSync(join(this.directory, name), content);
  }

  async seal(): Promise<void> {
    await this.sh("vault operator seal");
  }

  async unseal(): Promise<void> {
    await this.#put("unseal", { key: this.#unsealKey });
    await waitUntil("Vault to be unsealed", 60, async () => (await this.#health()) === 200, 200);
  }

  /** Requests that it has answered until now, each as `OPERATION PATH`, in order. */
  asked(): string[] {
    const lines = readFileSync(join(this.directory, "audit.log"), "utf8").trim().split("\n");
    return lines
      .map((line) => JSON.parse(line) as AuditEntry)
      .filter(({ type }) => type === "response")
      .map(({ request: { operation, path } }) => `${operation} ${path}`);
  }

  async stop(): Promise<void> {
    await this.#stop();
  }

  async #health(): Promise<number | undefined> {
    return await fetch(`${this.address}/v1/sys/health`).then(
      ({ status }) => status,
      () => undefined,
    );
  }

  #put(path: string, body: object): Promise<Response> {
    return fetch(`${this.address}/v1/sys/${path}`, { method: "PUT", body: JSON.stringify(body) });
  }
}
