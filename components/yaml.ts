import { dump } from "js-yaml";

/** YAML text in a stable form: the services' revisions and the files on the host follow from it byte for byte. */
export function yamlText(value: unknown): string {
  return dump(value, { lineWidth: -1, noRefs: true, quoteStyle: "double" });
}
