/**
 * The OpenAPI document as a self-contained page: no script, nothing loaded from elsewhere.
 */
import type { JsonSchema, Operation } from "./OpenApi.ts"
import * as OpenApi from "./OpenApi.ts"

const escape = (text: string): string =>
  text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`).replace(/`([^`]+)`/g, "<code>$1</code>")

const style = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .75rem }
summary { cursor: pointer }
code, pre { font: 14px/1.45 ui-monospace, monospace }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: collapse; width: 100% } td { padding: .2rem .75rem .2rem 0; vertical-align: top }
.verb { display: inline-block; min-width: 3.2rem; font-weight: 600 }`

const table = (title: string, rows: ReadonlyArray<readonly [string, string]>): string =>
  rows.length === 0
    ? ""
    : `<h4>${title}</h4><table>${rows
        .map(([name, text]) => `<tr><td><code>${escape(name)}</code></td><td>${escape(text)}</td></tr>`)
        .join("")}</table>`

const schemaName = (schema: JsonSchema | undefined): string =>
  typeof schema?.$ref === "string" ? (schema.$ref.split("/").at(-1) ?? "") : ""

const content = (of: Operation["requestBody"]): string =>
  Object.entries(of?.content ?? {})
    .map(([type, { schema, example }]) => {
      const name = schemaName(schema)
      const link = name === "" ? "" : `: <a href="#${name}">${name}</a>`
      const shown = example === undefined ? "" : `<pre>${escape(JSON.stringify(example, null, 2))}</pre>`
      return `<p><code>${type}</code>${link}</p>${shown}`
    })
    .join("")

const operation = (
  verb: string,
  path: string,
  { summary, description, parameters, requestBody, responses }: Operation
) => `
<details><summary><span class="verb">${verb.toUpperCase()}</span> <code>${escape(path)}</code> ${escape(summary)}</summary>
${description === undefined ? "" : `<p>${escape(description)}</p>`}
${table(
  "Parameters",
  parameters.map(({ name, description }) => [name, description])
)}
${requestBody === undefined ? "" : `<h4>Body</h4>${content(requestBody)}`}
${table(
  "Answers",
  Object.entries(responses).map(([status, { description }]) => [status, description])
)}
</details>`

const operations = Object.entries(OpenApi.document.paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([verb, it]) => ({ verb, path, it }))
)

const sections = [...new Set(operations.flatMap(({ it }) => it.tags))].map((tag) => {
  const own = operations.filter(({ it }) => it.tags.includes(tag))
  return `<h2>${tag}</h2>${own.map(({ verb, path, it }) => operation(verb, path, it)).join("")}`
})

const schemas = Object.entries(OpenApi.document.components.schemas).map(
  ([name, schema]) =>
    `<details id="${name}"><summary><code>${name}</code></summary><pre>${escape(JSON.stringify(schema, null, 2))}</pre></details>`
)

const { title, description } = OpenApi.document.info

/** The page. */
export const page = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${style}</style></head><body><h1>${title}</h1><p>${escape(description)}</p>
<p>The same for machines: <a href="openapi.json">openapi.json</a>.</p>
${sections.join("")}<h2>Schemas</h2>${schemas.join("")}</body></html>
`
