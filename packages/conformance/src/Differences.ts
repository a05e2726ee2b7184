/**
 * The law of gradients: reverse mode equals central differences, in float64 on the reference engine.
 */
import { Engine, Gradient, NdArray, Program, ReferenceEngine, Shape, type Tensor } from "@rai/core"
import { Effect } from "effect"
import * as Case from "./Case.ts"
import * as Numbers from "./Numbers.ts"

/**
 * Estimates ∂y/∂x of a scalar output y element by element: (4 D(h/2) − D(h)) / 3 with D(h) = (y(x + h) − y(x − h)) / 2h, with an error of order h⁴.
 */
export const central = Effect.fn("Differences.central")(function* (
  program: Program.Program,
  inputs: Engine.Arrays,
  { of, input, step }: { readonly of: string; readonly input: string; readonly step: number }
) {
  const { data, shape } = inputs[input]!
  const at = Effect.fnUntraced(function* (i: number, by: number) {
    const moved = Float64Array.from(data)
    moved[i]! += by
    return (yield* Engine.run(program, { ...inputs, [input]: { shape, data: moved } }))[of]!.data[0]!
  })
  const difference = Effect.fnUntraced(function* (i: number, h: number) {
    return ((yield* at(i, h)) - (yield* at(i, -h))) / (2 * h)
  })
  return yield* Effect.forEach(Array.from(data.keys()), (i) =>
    Effect.zipWith(difference(i, step / 2), difference(i, step), (near, far) => (4 * near - far) / 3)
  )
})

/** The scalar Σ w · y over all outputs of a case, with random w, so that every element of every output counts. */
const weighted = (of: Case.Case) => {
  const lengths = Case.lengths(of)
  const outputs = Object.entries(of.program.outputs)
  const weights = outputs.map(([name, { shape }], i) => {
    const array = Numbers.array(Shape.resolve(shape, lengths), 1000 + i)
    return [`weight/${name}`, array, shape] as const
  })
  const extra = Program.inputs(Object.fromEntries(weights.map(([name, , shape]) => [name, shape])))
  const terms = outputs.map(([name, y]): Tensor.Tensor => y.float().mul(extra[`weight/${name}`]!).total())
  const program = Program.fromTensors({ ...of.program.inputs, ...extra }, { loss: terms.reduce((a, b) => a.add(b)) })
  const inputs = { ...of.inputs, ...Object.fromEntries(weights.map(([name, array]) => [name, array])) }
  return { program, inputs }
}

/**
 * Returns the relative error of each input's gradient, max |∂ − difference| / max |difference|, the denominator at least 1e-3; inputs that hold
 * indices or conditions are left out.
 */
export const errors = Effect.fn("Differences.errors")(function* (
  of: Case.Case,
  { step = 1e-3 }: { readonly step?: number } = {}
) {
  const { inputs, program } = weighted(of)
  const wanted = Object.keys(of.inputs).filter((name) => program.inputs[name]!.dtype === "float")
  const derived = yield* Gradient.make({ of: "loss", inputs: wanted })(program)
  const gradients = yield* Engine.run(derived, inputs)
  return yield* Effect.forEach(wanted, (input) =>
    Effect.map(central(program, inputs, { of: "loss", input, step }), (differences) => {
      const gradient = gradients[`gradient/${input}`]!
      const largest = differences.reduce((most, d) => Math.max(most, Math.abs(d)), 1e-3)
      const worst = differences.reduce((most, d, i) => Math.max(most, Math.abs(gradient.data[i]! - d)), 0)
      const fits = gradient.data.length === NdArray.size(inputs[input]!.shape) && !Number.isNaN(worst)
      return { input, error: fits ? worst / largest : Number.POSITIVE_INFINITY }
    })
  )
}, Effect.provide(ReferenceEngine.layer))
