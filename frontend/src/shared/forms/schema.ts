// What a form is made of: an action's JSON Schema, read as fields. Only what the descriptions of actions use is known
// (pkg/workflow/actions/*.json); anything else is edited as JSON.

export interface Schema {
  type?: string
  title?: string
  description?: string
  default?: unknown
  const?: unknown
  enum?: readonly string[]
  format?: string
  minLength?: number
  minimum?: number
  maximum?: number
  maxItems?: number
  required?: readonly string[]
  properties?: Readonly<Record<string, Schema>>
  additionalProperties?: boolean | Schema
  items?: Schema
  oneOf?: readonly Schema[]
  'x-template'?: boolean
  'x-secret'?: boolean
  'x-multiline'?: boolean
  'x-expression'?: readonly string[]
}

export type Kind =
  | 'text'
  | 'lines'
  | 'number'
  | 'switch'
  | 'choice'
  | 'pairs'
  | 'texts'
  | 'objects'
  | 'group'
  | 'variants'
  | 'json'

export interface Field {
  name: string
  kind: Kind
  schema: Schema
  required: boolean
}

export type Values = Readonly<Record<string, unknown>>

/** The fields of an object's schema, in its order; constants are no fields. */
export function fieldsOf(schema: Schema, without: readonly string[] = []): Field[] {
  return Object.entries(schema.properties ?? {})
    .filter(([name, property]) => property.const === undefined && !without.includes(name))
    .map(([name, property]) => ({
      name,
      kind: kindOf(property),
      schema: property,
      required: schema.required?.includes(name) ?? false,
    }))
}

export function kindOf(schema: Schema): Kind {
  if (schema.oneOf) return 'variants'
  if (schema.enum) return 'choice'
  switch (schema.type) {
    case 'string':
      return schema['x-multiline'] ? 'lines' : 'text'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
      return 'switch'
    case 'array':
      if (schema.items?.type === 'string') return 'texts'
      return schema.items?.properties ? 'objects' : 'json'
    case 'object':
      if (schema.properties) return 'group'
      return typeof schema.additionalProperties === 'object' && schema.additionalProperties.type === 'string'
        ? 'pairs'
        : 'json'
  }
  return 'json'
}

/** The object with a field set; a field that is undefined is not there. */
export function withValue(values: Values, name: string, value: unknown): Values {
  const { [name]: _, ...rest } = values
  return value === undefined ? rest : { ...rest, [name]: value }
}

/** The place of the variant that a value follows: its constants and the fields it needs; -1 when there is none. */
export function variantOf(variants: readonly Schema[], value: unknown): number {
  if (!isObject(value)) return -1
  const constants = (variant: Schema) =>
    Object.entries(variant.properties ?? {}).every(
      ([name, p]) => p.const === undefined || value[name] === p.const,
    )
  const whole = variants.findIndex(
    (variant) => constants(variant) && (variant.required ?? []).every((name) => name in value),
  )
  return whole >= 0 ? whole : variants.findIndex(constants)
}

/** What a variant begins with: its constants, and the fields it needs, empty; what another one had of them is kept. */
export function startVariant(variant: Schema, before: unknown): Values {
  const values: Record<string, unknown> = {}
  for (const [name, property] of Object.entries(variant.properties ?? {})) {
    const had = isObject(before) ? before[name] : undefined
    if (property.const !== undefined) values[name] = property.const
    else if (had !== undefined) values[name] = had
    else if (variant.required?.includes(name)) values[name] = emptyOf(property)
  }
  return values
}

/** What a field begins with that has to be there. */
export function emptyOf(schema: Schema): unknown {
  if (schema.default !== undefined) return schema.default
  switch (kindOf(schema)) {
    case 'text':
    case 'lines':
      return ''
    case 'texts':
    case 'objects':
      return []
    case 'group':
      return startVariant(schema, undefined)
    case 'variants':
      return startVariant(schema.oneOf?.[0] ?? {}, undefined)
    case 'pairs':
      return {}
  }
  return undefined
}

/** What a step of the action begins with. */
export function startConfig(schema: Schema): Values {
  const values: Record<string, unknown> = {}
  for (const { name, schema: property, required } of fieldsOf(schema))
    if (required) values[name] = emptyOf(property)
  return values
}

/** The JSON of a text; a text that is one template stands for itself. An empty text is no value. */
export function parseJSON(text: string): { value: unknown } | undefined {
  const trimmed = text.trim()
  if (trimmed === '') return { value: undefined }
  if (/^\{\{.*\}\}$/s.test(trimmed)) return { value: trimmed }
  try {
    return { value: JSON.parse(trimmed) as unknown }
  } catch {
    return undefined
  }
}

/** The text of a JSON value, as parseJSON reads it. */
export function writeJSON(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string' && /^\{\{.*\}\}$/s.test(value.trim())) return value
  return JSON.stringify(value, null, 2)
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
