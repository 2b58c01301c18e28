import * as v from "valibot";

/** What a key must hold, in words, with a value that would do. */
export interface Rule {
  readonly rule: string;
  readonly example: string;
}

/** A schema that takes and gives the same. */
type Same<Schema extends v.GenericSchema> = v.GenericSchema<v.InferInput<Schema>, v.InferOutput<Schema>>;

/** A schema with its rule in words. */
export function described<Schema extends v.GenericSchema>(rule: string, schema: Schema): Same<Schema> {
  return withMetadata(schema, { rule });
}

/** A key without default, with a value that would do. */
export function example<Schema extends v.GenericSchema>(schema: Schema, value: string): Same<Schema> {
  return withMetadata(schema, { example: value });
}

/** A key that may be left out; its default is its example too. */
export function withDefault<Schema extends v.GenericSchema, const Value extends v.InferInput<Schema>>(
  schema: Schema,
  value: Value,
): v.OptionalSchema<Same<Schema>, Value> {
  return v.optional(example(schema, String(value)), value);
}

function withMetadata<Schema extends v.GenericSchema>(schema: Schema, rule: Partial<Rule>): Same<Schema> {
  return v.pipe(schema, v.metadata<v.InferOutput<Schema>, Partial<Rule>>(rule));
}

/** The rule of the key at a path; undefined where the schema has no such key. */
export function ruleAt(root: v.GenericSchema, path: readonly (string | number)[]): Rule | undefined {
  const schema = schemaAt(root, path);
  if (schema === undefined) return undefined;
  const { rule = shapeOf(schema), example = exampleOf(schema) } = v.getMetadata(schema) as Partial<Rule>;
  return { rule, example };
}

/** The keys of the object at a path. */
export function keysAt(root: v.GenericSchema, path: readonly (string | number)[]): string[] {
  return Object.keys(entriesOf(schemaAt(root, path)));
}

/** Every key below a schema, for example `caches`, `caches[]`, `caches[].port`. */
export function allKeys(root: v.GenericSchema, prefix = ""): string[] {
  const schema = withoutDefault(root);
  const item = itemOf(schema);
  if (item !== undefined) return [`${prefix}[]`, ...allKeys(item, `${prefix}[]`)];
  return Object.entries(entriesOf(schema)).flatMap(([name, entry]) => {
    const key = prefix === "" ? name : `${prefix}.${name}`;
    return [key, ...allKeys(entry, key)];
  });
}

/** Whether a value is an object or a list, which Pulumi hands over as JSON. */
export function isStructured(root: v.GenericSchema): boolean {
  const schema = withoutDefault(root);
  return "entries" in schema || "item" in schema;
}

function schemaAt(root: v.GenericSchema, path: readonly (string | number)[]): v.GenericSchema | undefined {
  return path.reduce<v.GenericSchema | undefined>((schema, part) => {
    if (schema === undefined) return undefined;
    const inner = typeof part === "number" ? itemOf(schema) : entriesOf(schema)[part];
    return inner && withoutDefault(inner);
  }, withoutDefault(root));
}

function shapeOf(schema: v.GenericSchema): string {
  return itemOf(schema) === undefined ? "an object" : "a list of objects";
}

/** JSON of the smallest value: an object's needed keys, else its first one. */
function exampleOf(schema: v.GenericSchema): string {
  const item = itemOf(schema);
  if (item !== undefined) return `[${jsonExample(item)}]`;
  const entries = Object.entries(entriesOf(schema));
  const needed = entries.filter(([, entry]) => entry.type !== "optional");
  const shown = needed.length > 0 ? needed : entries.slice(0, 1);
  return `{${shown.map(([key, entry]) => `${JSON.stringify(key)}: ${jsonExample(entry)}`).join(", ")}}`;
}

function jsonExample(root: v.GenericSchema): string {
  const schema = withoutDefault(root);
  const { example = exampleOf(schema) } = v.getMetadata(schema) as Partial<Rule>;
  return schema.type === "string" ? JSON.stringify(example) : example;
}

function withoutDefault(schema: v.GenericSchema): v.GenericSchema {
  return "wrapped" in schema ? (schema.wrapped as v.GenericSchema) : schema;
}

function itemOf(schema: v.GenericSchema): v.GenericSchema | undefined {
  return "item" in schema ? (schema.item as v.GenericSchema) : undefined;
}

function entriesOf(schema: v.GenericSchema | undefined): Readonly<Record<string, v.GenericSchema>> {
  return schema !== undefined && "entries" in schema
    ? (schema.entries as Readonly<Record<string, v.GenericSchema>>)
    : {};
}
