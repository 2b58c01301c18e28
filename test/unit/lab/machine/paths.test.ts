import { expect, test } from "vitest";
import { cacheDirectory, nodeBinary, searchPath } from "../../../../lab/machine/paths.ts";

test("the cache is where XDG_CACHE_HOME says", () => {
  expect(cacheDirectory({ XDG_CACHE_HOME: "/somewhere" })).toBe("/somewhere/regwarden");
});

test("the project's own programs come first on the search path, system directories at the end", () => {
  const path = searchPath({ PATH: "/opt/bin:/usr/bin" }).split(":");
  expect(nodeBinary.startsWith(`${path[0]}/`)).toBe(true);
  expect(path.slice(1)).toEqual(["/opt/bin", "/usr/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]);
});
