import { expect, test } from "vitest";
import { cacheSizeOf, listenersOf } from "../../../../adopt/plan/nginx.ts";
import { formerFiles } from "../../../support/former-vm/files.ts";

const former = formerFiles({ hostname: "registry.example.com" })["/opt/registry/nginx.conf"] ?? "";

test("the former nginx listens for three of six registries", () => {
  expect(listenersOf(former)).toEqual([
    { port: 5000, isTls: false, names: [], backends: ["registry-dockerhub"] },
    { port: 5010, isTls: false, names: [], backends: ["registry-ghcr"] },
    { port: 5050, isTls: true, names: ["registry.example.com"], backends: ["registry-private"] },
  ]);
  expect(cacheSizeOf(former)).toBe("50g");
});

test("addresses, variables, comments and quotes are read as nginx reads them", () => {
  const text = `http { # server { listen 1; }
  server { listen 127.0.0.1:443 ssl http2; listen [::]:8443 ssl; server_name _ a.example "b.example";
    location / { if ($request_method = "{}") { return 405 'no; {'; } proxy_pass http://registry:5000/\${x}; } } }`;
  expect(listenersOf(text)).toEqual([
    { port: 443, isTls: true, names: ["a.example", "b.example"], backends: ["registry"] },
    { port: 8443, isTls: true, names: ["a.example", "b.example"], backends: ["registry"] },
  ]);
  expect(cacheSizeOf(text)).toBeUndefined();
  expect(listenersOf("")).toEqual([]);
});
