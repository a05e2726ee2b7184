/**
 * An infer request as a person writes it: from a model's metadata, with examples to start from.
 */

/** An input or output; -1 is a dimension that the model leaves open. */
export interface Tensor {
  readonly name: string
  readonly datatype: string
  readonly shape: ReadonlyArray<number>
}

/** A version's inputs and outputs. */
export interface Signature {
  readonly inputs: ReadonlyArray<Tensor>
  readonly outputs: ReadonlyArray<Tensor>
}

/** An input as filled in in the form: its shape and data as typed. */
export interface Filled {
  readonly name: string
  readonly datatype: string
  readonly shape: string
  readonly data: string
}

// Nobody reads more than that.
const shown = 64

const examples: ReadonlyArray<readonly [datatypes: RegExp, ...values: ReadonlyArray<string>]> = [
  [/^FP/, "0.5", "-0.25", "1", "0"],
  [/^U?INT/, "1", "0"],
  [/^BOOL$/, "true", "false"],
  [/^BYTES$/, '"text"']
]

/** The sizes of a shape as typed; undefined where it is not a shape. */
export const sizes = (shape: string): ReadonlyArray<number> | undefined => {
  const parts = shape.split(/[\s,]+/).filter((part) => part !== "")
  return parts.every((part) => /^\d{1,15}$/.test(part)) ? parts.map(Number) : undefined
}

/** Number of elements of a shape. */
export const elements = (shape: ReadonlyArray<number>): number => shape.reduce((product, size) => product * size, 1)

/** An example shape, with 1 for each dimension that the model leaves open. */
export const exampleShape = ({ shape }: Tensor): string => shape.map((size) => (size < 0 ? 1 : size)).join(", ")

/** Example values of the datatype, as many as the shape has; where that is too many to read, one that stands for all. */
export const exampleData = (datatype: string, shape: string): string => {
  const [, ...values] = examples.find(([datatypes]) => datatypes.test(datatype)) ?? [/./, "0"]
  const count = elements(sizes(shape) ?? [])
  return Array.from({ length: count > shown ? 1 : count }, (_, i) => values[i % values.length]).join(", ")
}

/** Repeats a single value where an input needs more. */
const spread = ({ shape, data }: Filled): string => {
  const count = elements(sizes(shape) ?? [])
  const single = /^\s*(?:"(?:[^"\\]|\\.)*"|[^\s,"[\]]+)\s*$/.test(data)
  return single && count > 1 && count <= 1e6 ? Array(count).fill(data.trim()).join(",") : data
}

/** The request's body. What was typed goes in unchanged: the server explains what is wrong with it better than a form could. */
export const body = (inputs: ReadonlyArray<Filled>): string => {
  const written = inputs.map(({ name, datatype, ...rest }) => {
    const head = JSON.stringify({ name, datatype }).slice(0, -1)
    const data = spread({ name, datatype, ...rest }).trim()
    return `${head},"shape":[${rest.shape.trim()}],"data":${data.startsWith("[") ? data : `[${data}]`}}`
  })
  return `{"inputs":[${written.join(",")}]}`
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The same request as a shell command; a token is left to a shell variable. */
export const curl = (url: string, text: string, token: boolean): string =>
  [
    `curl -s ${quoted(url)}`,
    ...(token ? ['-H "authorization: Bearer $TOKEN"'] : []),
    "-H 'content-type: application/json'",
    `-d ${quoted(text)}`
  ].join(" \\\n  ")
