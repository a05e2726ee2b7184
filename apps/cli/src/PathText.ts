/**
 * Flags and arguments that name a file or folder, or may: shells complete them, and the text stays as it is written, where effect's own paths become
 * absolute.
 */
import { Effect } from "effect"
import { type Argument, type Flag, Param, Primitive } from "effect/cli"

const primitive = Object.assign(Primitive.Path("either"), { parse: (text: string) => Effect.succeed(text) })

/** A flag whose value may be a path. */
export const flag = (name: string): Flag.Flag<string> =>
  Param.makeSingle({ kind: Param.flagKind, name, primitiveType: primitive, typeName: "string" })

/** An argument that may be a path. */
export const argument = (name: string): Argument.Argument<string> =>
  Param.makeSingle({ kind: Param.argumentKind, name, primitiveType: primitive, typeName: "string" })
