/**
 * The course of a run, that is the rows of its history, as its figures take them.
 *
 * ```ts
 * import { Circuit, History, Moons, Plan, ReferenceEngine, Training } from "@rai/core"
 * import { Course, Loss } from "@rai/plots"
 * import { Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function*() {
 *   const data = yield* Moons.make({ examples: 20, seed: 1 })
 *   const circuit = Circuit.perceptron([2, 4, 4, 1], { activation: "tanh" })
 *   const plan = Plan.relax({ steps: 20 }).pipe(Plan.andThen(Plan.backpropagate({ steps: 20 })))
 *   const rows = History.of(yield* Stream.runCollect(Training.stream(circuit, data, { plan })))
 *   return yield* Loss.svg(Course.loss(rows))
 * })
 * const svg = await Effect.runPromise(Effect.provide(program, ReferenceEngine.layer))
 * console.log(svg.includes("backpropagate")) // => true
 * ```
 */
import { History } from "@rai/core"
import type * as Gradients from "./Gradients.ts"
import type * as Loss from "./Loss.ts"
import type { Phase } from "./Phase.ts"
import type * as Residuals from "./Residuals.ts"

type Rows = ReadonlyArray<History.Row>

const orNaN = (value: number | null | undefined): number => value ?? Number.NaN

/** The step of the whole run at which each phase begins. Each measures first before its own first step, where the phase before it ended. */
export const phases = (rows: Rows): ReadonlyArray<Phase> =>
  rows.filter(({ step }, i) => i === 0 || step === 0).map(({ phase, total }) => ({ name: phase, start: total }))

// A new phase measures again at the step where the previous one ended.
const oncePerStep = (rows: Rows): Rows => rows.filter(({ total }, i) => total !== rows[i - 1]?.total)

/** The losses, for `Loss.svg`. */
export const loss = (rows: Rows): Loss.Settings => ({
  measurements: rows.map((row) => ({ ...History.numbers(row), step: row.total })),
  phases: phases(rows)
})

/** The residuals, for `Residuals.svg`: of the last cut used where a plan relaxes with different cuts; none where it does not relax. */
export const residuals = (rows: Rows): Residuals.Settings => {
  const relaxing = rows.filter((row) => row.residuals.length > 0)
  const cuts = relaxing.at(-1)?.residuals.length ?? 0
  const shown = oncePerStep(relaxing.filter((row) => row.residuals.length === cuts))
  return {
    steps: shown.map(({ total }) => total),
    cuts,
    residual: shown.flatMap((row) => row.residuals.map(orNaN))
  }
}

/** The gradient norms, for `Gradients.svg`; of two measurements at one step, that of the phase that begins there. */
export const gradients = (rows: Rows): Gradients.Settings => {
  const shown = rows.filter(({ total }, i) => total !== rows[i + 1]?.total)
  return {
    steps: shown.map(({ total }) => total),
    stages: shown[0]?.gradientNorms.length ?? 0,
    norms: shown.flatMap((row) => row.gradientNorms.map(orNaN)),
    phases: phases(rows)
  }
}
