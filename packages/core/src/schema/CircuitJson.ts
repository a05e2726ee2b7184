/**
 * A circuit as JSON, alone or within the files of a run.
 */
import { Effect, Schema, SchemaIssue } from "effect"
import { GraphJson } from "./GraphJson.ts"

/** A circuit as JSON: a block by its kind, or a composition by its children. */
export type CircuitJson =
  | { readonly kind: string; readonly settings?: Readonly<Record<string, number | boolean>> | undefined }
  | { readonly sequence: ReadonlyArray<CircuitJson> }
  | { readonly repeat: CircuitJson; readonly times: number }
  | { readonly residual: CircuitJson }
  | { readonly branch: ReadonlyArray<CircuitJson> }
  | { readonly graph: GraphJson }

const child = Schema.suspend((): Schema.Codec<CircuitJson> => CircuitJson)

/** The schema of a circuit as JSON. */
export const CircuitJson: Schema.Codec<CircuitJson> = Schema.Union([
  Schema.Struct({ sequence: Schema.Array(child) }),
  Schema.Struct({ repeat: child, times: Schema.Int }),
  Schema.Struct({ residual: child }),
  Schema.Struct({ branch: Schema.Array(child) }),
  Schema.Struct({ graph: GraphJson }),
  Schema.Struct({
    kind: Schema.String,
    settings: Schema.optional(Schema.Record(Schema.String, Schema.Union([Schema.Finite, Schema.Boolean])))
  })
])

const File = Schema.Union([Schema.Struct({ content: Schema.Struct({ circuit: CircuitJson }) }), CircuitJson])

/** Decodes the circuit in a file's JSON, at the top level or under `content.circuit`; fails with what is wrong and where. */
export const fromFile = (json: unknown): Effect.Effect<CircuitJson, string> =>
  Schema.decodeUnknownEffect(File)(json).pipe(
    Effect.mapBoth({
      onFailure: deepest,
      onSuccess: (found) => ("content" in found ? found.content.circuit : found)
    })
  )

const issuesOf = SchemaIssue.makeFormatterStandardSchemaV1()

/** Of the faults reported for the alternatives, picks the one with the longest path: that alternative matched furthest. */
const deepest = ({ issue }: Schema.SchemaError): string => {
  const faults = issuesOf(issue).issues.map(({ message, path = [] }) =>
    message === "Missing key"
      ? { fault: "none of the kinds of blocks", path: path.slice(0, -1) }
      : { fault: message.toLowerCase(), path }
  )
  const { fault, path } = faults.reduce((found, each) => (each.path.length > found.path.length ? each : found))
  return path.length === 0 ? fault : `${fault} at ${path.map(String).join(" ")}`
}
