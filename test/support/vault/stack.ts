import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { CommandLines } from "../command-lines.ts";
import { documents } from "../documents/markdown.ts";
import { HOST_KEY, SSH_KEY } from "../program-stack/raw-config.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../program-stack/tls.ts";
import { SmallStack, smallStackNeeds } from "../small-stack.ts";
import { VaultServer } from "./server.ts";

export const passwords = ["first s3cret 7421", "second s3cret 7421"] as const;
export const sshKeys = [SSH_KEY, SSH_KEY.replace("NDIx", "NDIy")] as const;

/** Files that docs/vault.md names. */
const files: Readonly<Record<string, string>> = {
  id_ed25519: sshKeys[0],
  "id_ed25519.new": sshKeys[1],
  known_hosts_entry: `10.0.20.10 ${HOST_KEY}\n`,
  "registry-password": `${passwords[0]}\n`,
  "registry-password.new": `${passwords[1]}\n`,
  "certificate.pem": CERTIFICATE,
  "private-key.pem": PRIVATE_KEY,
  "docs/vault-policy.hcl": readFileSync("docs/vault-policy.hcl", "utf8"),
};

/** The one shell block of docs/vault.md that has this text. */
export function shownBlock(part: string): string {
  const page = documents().find(({ file }) => file === "docs/vault.md");
  const [found, ...more] = (page?.blocks ?? []).filter(({ text }) => text.includes(part));
  if (found === undefined || more.length > 0) throw new Error(`not one block has ${part}`);
  return found.text;
}

/** A small stack whose secrets are in a real Vault, with the commands of docs/vault.md. */
export class VaultStack {
  readonly vault: VaultServer;
  readonly small = new SmallStack("prod", {
    main: "test/support/vault/main.ts",
    plugins: { vault: "test/support/vault/plugin" },
  });
  readonly #printed: string[] = [];
  readonly #commandLines = new CommandLines();

  private constructor(vault: VaultServer) {
    this.vault = vault;
  }

  static async start(): Promise<VaultStack> {
    await smallStackNeeds();
    const stack = new VaultStack(await VaultServer.start());
    const { vault } = stack;
    for (const [name, content] of Object.entries(files)) vault.file(name, content);
    await vault.sh(shownBlock("regwarden/ssh private_key=@id_ed25519 "));
    await vault.sh(
      "vault kv put -mount=secret regwarden/tls certificate=@certificate.pem private_key=@private-key.pem",
    );
    stack.configure();
    return stack;
  }

  async stop(): Promise<void> {
    this.#commandLines.stop();
    await this.vault.stop();
  }

  /** Writes the stack's configuration, with these keys of `vault` beside the address. */
  configure(vault: object = { tls: "regwarden/tls" }): void {
    const values = {
      host: { address: "10.0.20.10" },
      registry: { hostname: "registry.example.com" },
      secretsSource: "vault",
      vault: { address: this.vault.address, ...vault },
    };
    const file = join(this.small.project, "Pulumi.prod.yaml");
    const before = existsSync(file) ? readFileSync(file, "utf8") : "";
    const salt = /^encryptionsalt:.*$/m.exec(before)?.[0] ?? "";
    const entries = Object.entries(values).map(([key, value]) => [`regwarden:${key}`, value]);
    writeFileSync(file, `${salt}\nconfig: ${JSON.stringify(Object.fromEntries(entries))}\n`);
  }

  /** Runs the engine with a token, and expects how it ends. Returns what it printed. */
  async run(code: number, token: string, operation: "preview" | "drift" | "up"): Promise<string> {
    const args = operation === "up" ? ["--yes"] : [];
    const { exitCode, output } = await this.small.start(operation, args, { VAULT_TOKEN: token }).end;
    this.#printed.push(output);
    expect(exitCode, output).toBe(code);
    return output;
  }

  /** What Vault was asked for during `act`, once each. */
  async askedDuring(act: () => Promise<unknown>): Promise<string[]> {
    const before = this.vault.asked().length;
    await act();
    return [...new Set(this.vault.asked().slice(before))].sort();
  }

  /** The token that a block leaves in VAULT_TOKEN. */
  async tokenOf(block: string, before = this.vault.rootToken): Promise<string> {
    return await this.vault.sh(`{\n${block}\n} >&2\nprintf %s "$VAULT_TOKEN"`, before);
  }

  /** What the stack has of a step. */
  step(name: string): { readonly content: string; readonly writtenAt: number } {
    const path = join(this.small.steps, name);
    return { content: readFileSync(path, "utf8"), writtenAt: statSync(path).mtimeMs };
  }

  /** All that the runs left or showed, by where: state and its history, configuration, what was printed, arguments. */
  traces(): Readonly<Record<string, string>> {
    const { backend, home, project } = this.small;
    // Not what links lead to: programs and modules.
    const found = execFileSync("find", [backend, home, project, "-type", "f"], { encoding: "utf8" });
    const kept = found.trim().split("\n");
    return {
      ...Object.fromEntries(kept.map((path) => [path, readFileSync(path, "latin1")])),
      "what was printed": this.#printed.join("\n"),
      "arguments of processes": this.#commandLines.seen.join("\n"),
    };
  }
}
