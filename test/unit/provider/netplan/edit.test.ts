import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readYaml, setInYaml, valueAt } from "../../../../provider/netplan/edit.ts";

const cloudInit = `# This file is generated from information provided by the datasource.  Changes
# to it will not persist across an instance reboot.
network:
    version: 2
    ethernets:
        eth0:
            addresses:
            - 10.0.20.10/24
            match:
                macaddress: 52:54:00:12:34:56
            # the resolvers of the provider
            nameservers:
                addresses: [1.1.1.1, 8.8.8.8] # both
                search:
                - old.example

            routes:
            -   to: default
                via: 10.0.20.1
            set-name: eth0
`;
const path = ["network", "ethernets", "eth0", "nameservers"];
const value = { addresses: ["10.0.20.1", "94.140.14.14"], search: ["example.lan"] };

describe("a key", () => {
  test("is replaced, and every other line stays as it is", () => {
    expect(setInYaml(cloudInit, path, value)).toBe(
      cloudInit.replace(
        / {12}nameservers:.*?old\.example\n/s,
        `            nameservers:
              addresses:
                - 10.0.20.1
                - 94.140.14.14
              search:
                - example.lan
`,
      ),
    );
  });

  test("that is the last one is replaced", () => {
    const text =
      "network:\n  ethernets:\n    eth0:\n      dhcp4: no\n      nameservers:\n        addresses: [1.1.1.1]";
    expect(readYaml(setInYaml(text, path, value))).toEqual({
      network: { ethernets: { eth0: { dhcp4: "no", nameservers: value } } },
    });
  });

  test("is added with the keys above it, below what is there and before the comment that follows", () => {
    const text = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n# the end\n";
    expect(setInYaml(text, ["network", "ethernets", "eth0", "dhcp4-overrides", "use-dns"], "false")).toBe(
      "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n      dhcp4-overrides:\n        use-dns: false\n# the end\n",
    );
  });

  test("is taken out again, and what it was put into is as it was", () => {
    const text = "network:\n  version: 2\n  ethernets:\n    eth0:\n      dhcp4: true\n# the end\n";
    const key = ["network", "ethernets", "eth0", "dhcp4-overrides", "use-dns"];
    expect(setInYaml(setInYaml(text, key, "false"), key, undefined)).toBe(text);
  });

  test("that is the only one takes the mappings with it that it would leave empty", () => {
    const text =
      "network:\n  version: 2\n  ethernets:\n    eth0:\n      nameservers:\n        addresses: [1.1.1.1]\n";
    expect(setInYaml(text, path, undefined)).toBe("network:\n  version: 2\n");
  });

  test("in a mapping on one line is set by writing the file anew below its head comment", () => {
    const text = `# head\n\nnetwork: {version: 2, ethernets: {eth0: {match: {macaddress: "52:54:00:12:34:56"}, nameservers: {addresses: [1.1.1.1]}}}}\n`;
    const edited = setInYaml(text, path, value);
    expect(edited).toMatch(/^# head\n\nnetwork:\n/);
    expect(valueAt(readYaml(edited), path)).toEqual(value);
    expect(valueAt(readYaml(edited), ["network", "ethernets", "eth0", "match"])).toEqual({
      macaddress: "52:54:00:12:34:56",
    });
  });

  test("that has the value already changes nothing", () => {
    const text = "network: {version: 2, ethernets: {eth0: {dhcp4: true}}}\n";
    expect(setInYaml(text, ["network", "ethernets", "eth0", "dhcp4"], "true")).toBe(text);
  });
});

test("whatever the file holds, only the key changes", () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);
  const scalar = fc.oneof(
    fc.stringMatching(/^[a-z0-9.:/ -]{0,12}$/),
    fc.constantFrom("true", "null", "~", "0x1f"),
  );
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      scalar,
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(name, tie("tree"), { minKeys: 1, maxKeys: 4 }),
    ),
  }));
  fc.assert(
    fc.property(
      fc.dictionary(name, tree, { minKeys: 1 }),
      fc.array(name, { minLength: 1, maxLength: 4 }),
      (document, at) => {
        const before = setInYaml("", [], undefined);
        const text = Object.entries(document).reduce(
          (all, [key, each]) => setInYaml(all, [key], each as string),
          before,
        );
        expect(readYaml(text)).toEqual(document);
        const edited = setInYaml(text, at, ["x"]);
        expect(valueAt(readYaml(edited), at)).toEqual(["x"]);
        const [top = ""] = at;
        const { [top]: _, ...others } = readYaml(edited) as Record<string, unknown>;
        const { [top]: __, ...expected } = document;
        expect(others).toEqual(expected);
      },
    ),
  );
});
