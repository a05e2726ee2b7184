/**
 * The law as a suite: runs each case on the current engine and compares it with the reference engine.
 */
import { Engine, ReferenceEngine, Shape } from "@rai/core"
import { Effect, Schema } from "effect"
import * as Case from "./Case.ts"
import * as Law from "./Law.ts"

/** An engine's answer to a case differs from the reference engine's. */
export class LawBroken extends Schema.TaggedError<LawBroken>()("LawBroken", {
  engine: Schema.String,
  case: Schema.String,
  output: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `«${this.case}» on the engine ${this.engine}, output ${this.output}: ${this.reason}; mend the engine's kernel`
  }
}

/** Runs a case on the current engine and on the reference; fails with `LawBroken` at the first output that differs. */
export const check = Effect.fn("Conformance.check")(function* (of: Case.Case) {
  const engine = yield* Engine.Engine
  const came = yield* engine.run(of.program, of.inputs)
  const expected = yield* Effect.provide(Engine.run(of.program, of.inputs), ReferenceEngine.layer)
  const lengths = Case.lengths(of)
  for (const [output, node] of Object.entries(of.program.outputs)) {
    const shape = Shape.resolve(node.shape, lengths)
    const reason = Law.broken(came[output], expected[output]!, shape, of.tolerance)
    if (reason !== undefined) return yield* new LawBroken({ engine: engine.name, case: of.name, output, reason })
  }
})

/**
 * Returns every breach of the law by the current engine, in the order of the cases; none if the engine conforms.
 *
 * ```ts
 * import { Cases, Conformance } from "@rai/conformance"
 * import { ReferenceEngine } from "@rai/core"
 * import { Effect } from "effect"
 *
 * const breaches = Conformance.conformance(Cases.all).pipe(Effect.provide(ReferenceEngine.layer))
 * Effect.runSync(breaches) // => []
 * ```
 */
export const conformance = (
  cases: ReadonlyArray<Case.Case>
): Effect.Effect<ReadonlyArray<LawBroken | Engine.EngineFailed>, never, Engine.Engine> =>
  Effect.map(
    Effect.forEach(cases, (of) => Effect.match(check(of), { onFailure: (breach) => [breach], onSuccess: () => [] })),
    (found) => found.flat()
  )
