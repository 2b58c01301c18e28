import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { file } from "../../provider/kinds/file.ts";
import { type Connection, parseConnection } from "../../provider/ssh/connection-config.ts";
import { SshHost } from "../../provider/ssh/host.ts";
import { keyPair } from "../support/lab/key-pair.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

/** The lab's sshd is the jump host; behind it, on an address that it alone reaches, a second sshd with another key. */
let host: TestHost;
let inner: { host: string; port: number; hostKey: string; privateKey: string };
let jump: NonNullable<Connection["proxy"]>;
const path = "/srv/proxy-test";
const directory = "/srv/proxy-test-sshd";

beforeAll(async () => {
  host = await testHost();
  const key = keyPair();
  await host.sh(
    `mkdir -p ${directory} /run/sshd && cat >${directory}/key <<'END'\n${key.privateKey}END\nchmod 600 ${directory}/key`,
  );
  await host.sh(
    `/usr/sbin/sshd -f /dev/null -h ${directory}/key -p 2222 -o ListenAddress=127.0.0.9 -o PidFile=${directory}/pid -o UsePAM=yes`,
  );
  const privateKey = readFileSync(host.lab.privateKeyFile, "utf8");
  inner = {
    host: "127.0.0.9",
    port: 2222,
    hostKey: key.publicKey.split(" ").slice(0, 2).join(" "),
    privateKey,
  };
  jump = host.connection({ user: "deploy" });
});
afterAll(() => host.sh(`kill "$(cat ${directory}/pid)"; rm -rf ${directory} ${path}`));

const through = (changes: Partial<Connection> = {}) => {
  const { proxy: _, ...hop } = { ...jump, proxy: undefined };
  return new SshHost(parseConnection({ ...inner, dialErrorLimit: 1, proxy: hop, ...changes }));
};
const read = (over: SshHost) => file.read(over, path, {});

describe("a host behind a jump host", () => {
  test("is reached by one connection through it, and both end together", async () => {
    await host.sh(`echo inner >${path}`);
    const over = through();
    expect((await read(over))?.inputs.content).toBe("inner\n");
    expect(over.name).toBe("root@127.0.0.9:2222");
    const open = () => host.sh("ss -tnH state established '( sport = :2222 )' | wc -l");
    expect(await open()).toBe("1");
    await over.close();
    await host.sh(
      "for i in $(seq 50); do [ -z \"$(ss -tnH state established '( sport = :2222 )')\" ] && exit 0; sleep 0.1; done; exit 1",
    );
  });

  test.each<[string, () => Partial<Connection>, string, RegExp]>([
    [
      "with another key of the jump host is refused, and the message names that one",
      () => ({ proxy: { ...jump, hostKey: keyPair().publicKey } }),
      "E_HOST_KEY",
      /^deploy@.*host key does not match, nothing was sent.*host\.proxy\.hostKey/s,
    ],
    [
      "with another key of its own is refused, and the message names it",
      () => ({ hostKey: keyPair().publicKey }),
      "E_HOST_KEY",
      /^root@127\.0\.0\.9:2222: the host key does not match.*\(host\.hostKey\)/s,
    ],
    [
      "with a key that the jump host does not know fails at the jump host",
      () => ({ proxy: { ...jump, privateKey: keyPair().privateKey } }),
      "E_HOST_AUTHENTICATION",
      /^deploy@.*does not accept the SSH key/,
    ],
    [
      "that does not listen names both",
      () => ({ port: 2223 }),
      "E_HOST_UNREACHABLE",
      /^deploy@.* \(host\.proxy\) cannot connect to 127\.0\.0\.9:2223: /,
    ],
  ])("%s", async (_, changes, code, message) => {
    await expect(read(through(changes()))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });
});
