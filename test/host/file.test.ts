import { createHash } from "node:crypto";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { file } from "../../provider/kinds/file.ts";
import { type TestHost, testHost } from "../support/lab/test-host.ts";

let host: TestHost;
const directory = "/srv/file test's";
const path = `${directory}/a file.conf`;
const declared = { path, content: "first\n", mode: "0640", owner: "root", group: "root", type: "file" };

beforeAll(async () => {
  host = await testHost();
});
beforeEach(async () => {
  await host.sh(`umount -q "${directory}"; rm -rf "${directory}" && mkdir -p "${directory}"`);
});

/** What is at the path, read by another program than the one under test. */
const onHost = (at = path) => host.sh(`stat -c '%F %a %U:%G' "${at}" && cat "${at}"`);
const recordOf = <T extends object>(inputs: T) => ({ inputs, outputs: { ...inputs, changedAt: "then" } });
const read = async (inputs = declared) => (await file.read(host.root, path, recordOf(inputs)))?.inputs;
const leftovers = () => host.sh(`find "${directory}" -name '.regwarden*' | wc -l`);

describe("a file", () => {
  test("is created with content, mode and owner, and read back as declared", async () => {
    const { id } = await file.create(host.root, declared);
    expect(id).toBe(path);
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
    expect(await read()).toEqual(declared);
  });

  test("is written the same by an account with passwordless sudo", async () => {
    await file.create(host.deploy, { ...declared, owner: "deploy", group: "deploy", mode: "0600" });
    expect(await onHost()).toBe("regular file 600 deploy:deploy\nfirst");
    expect((await file.read(host.deploy, path, recordOf(declared)))?.inputs).toMatchObject({
      owner: "deploy",
      mode: "0600",
    });
  });

  test("may belong to an id, whether the host has a name for it or not", async () => {
    for (const id of ["65532", await host.sh("id -u deploy")]) {
      const owned = { ...declared, owner: id, group: id };
      await file.create(host.root, owned);
      expect(await read(owned)).toEqual(owned);
    }
  });

  test.each([
    ["quotes and shell signs", `it's "quoted" \`id\` $(id) \${HOME} \\ \n!#&;|\n`],
    ["no final newline", "a\nb"],
    ["only newlines", "\n\n\n"],
    ["nothing", ""],
    ["letters of other scripts", "Grüße, 你好, 👋🏽, ﷽\n"],
    ["a carriage return and a tab", "a\r\n\tb\r\n"],
    ["2 MB", `${"0123456789abcde\n".repeat(131_072)}end`],
  ])("keeps %s", async (_name, content) => {
    await file.create(host.root, { ...declared, content });
    const digest = createHash("sha256").update(content).digest("hex");
    expect(await host.sh(`sha256sum "${path}"`)).toContain(digest);
    expect(await read({ ...declared, content })).toMatchObject({ content });
  });

  test("is gone when it is deleted by hand, or its directory", async () => {
    await file.create(host.root, declared);
    await host.sh(`rm "${path}"`);
    expect(await read()).toBeUndefined();
    await host.sh(`rmdir "${directory}"`);
    expect(await read()).toBeUndefined();
  });

  test("shows an edit as text and a chmod and chown by name, and heals them", async () => {
    await file.create(host.root, declared);
    await host.sh(`echo second >>"${path}"; chmod 0777 "${path}"; chown deploy:deploy "${path}"`);
    const found = await read();
    expect(found).toEqual({
      ...declared,
      content: "first\nsecond\n",
      mode: "0777",
      owner: "deploy",
      group: "deploy",
    });
    await file.update(host.root, path, recordOf({ ...declared, ...found }), declared);
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
  });

  test("that is there as declared is taken over and not written", async () => {
    await file.create(host.root, declared);
    const mark = `stat -c '%i %Y %Z' "${path}"`;
    const before = await host.sh(mark);
    const { outputs } = await file.create(host.root, declared);
    expect(await host.sh(mark)).toBe(before);
    expect(outputs).toMatchObject({ changedAt: "as found", writtenAt: "as found" });
  });

  test("heals the mode alone without writing the file anew", async () => {
    await file.create(host.root, declared);
    const inode = await host.sh(`stat -c %i "${path}"; chmod 0666 "${path}"`);
    await file.update(host.root, path, recordOf({ ...declared, mode: "0666" }), declared);
    expect(await host.sh(`stat -c %i "${path}"`)).toBe(inode);
    expect(await onHost()).toContain(" 640 ");
  });

  test("that was replaced by a directory is shown as such; healing keeps what is in the directory", async () => {
    await file.create(host.root, declared);
    await host.sh(`rm "${path}" && mkdir "${path}" && echo precious >"${path}/data"`);
    const found = await read();
    expect(found).toMatchObject({ type: "directory" });
    await file.update(host.root, path, recordOf({ ...declared, ...found }), declared);
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
    expect(await host.sh(`cat "${path}".displaced-*/data`)).toBe("precious");
  });

  test("that was replaced by a symbolic link is shown with its target; healing does not write through it", async () => {
    await file.create(host.root, declared);
    await host.sh(`echo theirs >"${directory}/target" && ln -sf "${directory}/target" "${path}"`);
    const found = await read();
    expect(found).toMatchObject({ type: `symbolic link to ${directory}/target` });
    await file.update(host.root, path, recordOf({ ...declared, ...found }), declared);
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
    expect(await host.sh(`cat "${directory}/target"`)).toBe("theirs");
  });

  test("shows large or binary content by size and digest", async () => {
    await file.create(host.root, declared);
    await host.sh(`printf '\\377\\376\\000' >"${path}"`);
    expect((await read())?.content).toMatch(/^\(3 bytes, SHA-256 [0-9a-f]{64}\)$/);
    await host.sh(`head -c 300000 /dev/zero | tr '\\0' x >"${path}"`);
    expect((await read())?.content).toMatch(/^\(300000 bytes, SHA-256 [0-9a-f]{64}\)$/);
  });

  test("keeps each version that it replaces or deletes in the backup directory", async () => {
    const kept = { ...declared, backupDirectory: `${directory}/backup` };
    await file.create(host.root, kept);
    await file.update(host.root, path, recordOf(kept), { ...kept, content: "second\n" });
    await file.remove(host.root, path, recordOf(kept));
    expect(await read()).toBeUndefined();
    expect(await host.sh(`cat "${directory}"/backup/*`)).toBe("first\nsecond");
    expect(await host.sh(`stat -c %a "${directory}/backup"`)).toBe("700");
  });

  test("keeps the last ten versions in the backup directory, and of a neighbour's none fewer", async () => {
    const kept = { ...declared, backupDirectory: `${directory}/backup` };
    const neighbour = { ...kept, path: `${path}.d` };
    await file.create(host.root, neighbour);
    await file.update(host.root, neighbour.path, recordOf(neighbour), { ...neighbour, content: "theirs\n" });
    for (let version = 1; version <= 13; version++) {
      await file.update(host.root, path, recordOf({ ...kept, content: "" }), {
        ...kept,
        content: `${version}\n`,
      });
    }
    expect(await host.sh(`cat "${directory}"/backup/*conf.20*`)).toBe("3\n4\n5\n6\n7\n8\n9\n10\n11\n12");
    expect(await host.sh(`cat "${directory}"/backup/*conf.d.20*`)).toBe("first");
  });

  test("that is secret has a copy of what was there first, and of no later version", async () => {
    const secret = { ...declared, mode: "0600", backupDirectory: `${directory}/backup` };
    await host.sh(`echo before us >"${path}"`);
    await file.create(host.root, secret);
    for (const content of ["second\n", "third\n"])
      await file.update(host.root, path, recordOf(secret), { ...secret, content });
    expect(await host.sh(`cat "${directory}"/backup/*`)).toBe("before us");
    await host.sh(`cd "${directory}/backup" && cp * "$(ls | sed s/Z$/9Z/)"`);
    await file.remove(host.root, path, recordOf(secret));
    expect(await host.sh(`cat "${directory}"/backup/*`)).toBe("before us");
  });

  test("that was secret has no copy of that version when it is for all to read", async () => {
    const secret = { ...declared, mode: "0600", backupDirectory: `${directory}/backup` };
    await file.create(host.root, secret);
    const open = { ...secret, mode: "0644", content: "nothing to hide\n" };
    await file.update(host.root, path, recordOf(secret), open);
    expect(await host.sh(`ls "${directory}/backup" | wc -l`)).toBe("0");
  });

  test("that is secret leaves its digest in no argument", async () => {
    const secret = { ...declared, mode: "0600", content: "a key that stands in no log\n" };
    await file.create(host.deploy, secret);
    await file.read(host.deploy, path, recordOf(secret));
    const digest = createHash("sha256").update(secret.content).digest("hex");
    // sudo writes each command with its arguments into the journal.
    const journal = await host.sh("journalctl --no-pager _COMM=sudo");
    expect(journal).toContain(directory.slice(0, 9));
    expect(journal).not.toContain(digest);
  });

  test("is not deleted when a directory took its place", async () => {
    await file.create(host.root, declared);
    await host.sh(`rm "${path}" && mkdir "${path}"`);
    expect(await file.remove(host.root, path, recordOf(declared))).toContain("left as it is");
    expect(await host.sh(`test -d "${path}" && echo there`)).toBe("there");
  });

  test("stays as it was when the new content does not validate", async () => {
    await file.create(host.root, declared);
    const bad = {
      ...declared,
      content: "bad\n",
      validate: "grep -q good {} || { echo no good in it; exit 1; }",
    };
    await expect(file.update(host.root, path, recordOf(declared), bad)).rejects.toThrow(
      /not valid:\s+no good in it/,
    );
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
    expect(await leftovers()).toBe("0");
    await file.update(host.root, path, recordOf(declared), { ...bad, content: "good\n" });
    expect(await onHost()).toBe("regular file 640 root:root\ngood");
  });

  test("stays as it was when the disk is full", async () => {
    await host.sh(`mount -t tmpfs -o size=64k none "${directory}"`);
    await file.create(host.root, declared);
    const large = { ...declared, content: "x".repeat(100_000) };
    await expect(file.update(host.root, path, recordOf(declared), large)).rejects.toThrow(/No space left/);
    expect(await onHost()).toBe("regular file 640 root:root\nfirst");
    expect(await leftovers()).toBe("0");
  });

  test("is not made in a directory that does not exist, and the message says which", async () => {
    const elsewhere = { ...declared, path: "/srv/nowhere/file" };
    await expect(file.create(host.root, elsewhere)).rejects.toThrow(
      /write \/srv\/nowhere\/file .*\/srv\/nowhere does not exist/s,
    );
  });

  test("that cannot be checked is an error, not a deleted file", async () => {
    const loop = `${directory}/loop`;
    await host.sh(`ln -s loop "${loop}"`);
    await expect(file.read(host.root, `${loop}/x`, {})).rejects.toThrow(/check .*symbolic links/s);
  });
});
