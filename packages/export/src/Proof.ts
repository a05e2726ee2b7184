/**
 * Measures what the record of a model says: that it answers as the free run does, and what smaller weights cost.
 */
import { Circuit, Engine, type NdArray, TfjsEngine, type Trained } from "@rai/core"
import { Effect, Layer, Option } from "effect"
import * as Activations from "./Activations.ts"
import * as Agreement from "./Agreement.ts"
import * as Asked from "./Asked.ts"
import * as Comparison from "./Comparison.ts"
import * as Onnxruntime from "./Onnxruntime.ts"
import * as Parity from "./Parity.ts"
import * as Samples from "./Samples.ts"

/** The data that a model is checked on. */
export interface Examples {
  /** The training examples, as the model takes them: [n, inputs]. */
  readonly samples?: NdArray.NdArray
  /** Targets of these examples, by which smaller weights are judged: [n, outputs]. */
  readonly targets?: NdArray.NdArray
}

/** Loads a model beside the free run that it is compared with, and draws the samples for both. */
const beside = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  bytes: Uint8Array,
  file: string,
  options: Asked.Options & Examples
) {
  const { asked, constants, given } = yield* Asked.program(trained, options)
  const extent = Comparison.extentOf(asked)
  const inParts = <E, R>(answer: (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, E, R>) =>
    Comparison.inParts(answer, extent.batch)
  const freeRun = inParts((x) => Engine.run(asked, { ...constants, ...given(x) }))
  // A float64 engine does not show what float32 leaves uncertain; the WebAssembly engine does, and is always there.
  const inFloat32 = (x: NdArray.NdArray, answers: Engine.Arrays) =>
    Object.values(answers).some(({ data }) => data instanceof Float64Array)
      ? Effect.provide(freeRun(x), Layer.orDie(TfjsEngine.layerWasm))
      : Effect.succeed(answers)
  const { open, openOnCuda } = yield* Onnxruntime.Onnxruntime
  const { run } = yield* open(bytes, file)
  const cuda =
    openOnCuda === undefined ? undefined : Option.getOrUndefined(yield* Effect.option(openOnCuda(bytes, file)))
  const recorded = (rows: Parity.ParityRecord["inputs"][string]) => ({ [Activations.input(trained).name]: rows })
  const model = inParts((x) => run(given(x)))
  const onCuda = cuda && inParts((x) => cuda.run(given(x)))
  const sides = { extent, freeRun, inFloat32, model }
  return { ...sides, onCuda, recorded, ...drawn(trained, options.samples) }
})

/**
 * Measures what int8 costs. There is no tolerance to hold it to, so the differences found are recorded; samples stay within the range, since a
 * distant one costs all others in its batch their precision.
 */
export const measure = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  bytes: Uint8Array,
  file: string,
  options: Asked.Options & Examples
) {
  const { extent, freeRun, from, inFloat32, inputs, model, recorded } = yield* beside(trained, bytes, file, options)
  const x = Samples.make(inputs, { ...from, reach: 1 })
  const answers = yield* freeRun(x)
  yield* Agreement.someFinite(file, answers)
  const outputs = Agreement.pair(answers, yield* model(x))
  const sizes = Agreement.sizesOf(answers)
  const differences = yield* Agreement.compare(file, Number.MAX_VALUE, outputs, sizes)
  return {
    ...(yield* Comparison.roundingOn({ extent, freeRun, inFloat32, sizes }, x, answers, outputs)),
    tolerance: Agreement.toleranceOf(differences),
    ...said(sizes),
    examples: x.shape[0]!,
    ...differences,
    weights: { kept: "int8" as const, ...(yield* cost(trained, options, extent.batch, freeRun, model, sizes)) },
    inputs: recorded(Parity.toRows(x)),
    outputs
  }
})

/** Measures what float16 costs: the free run of the parameters as stored, compared with that of the trained ones. */
export const loss = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  own: Trained.Trained,
  examples: Examples,
  sizes: Agreement.Sizes
) {
  const [before, after] = [yield* Asked.program(trained, {}), yield* Asked.program(own, {})]
  const found = yield* cost(
    trained,
    examples,
    Comparison.extentOf(before.asked).batch,
    (x) => Engine.run(before.asked, { ...before.constants, ...before.given(x) }),
    (x) => Engine.run(after.asked, { ...after.constants, ...after.given(x) }),
    sizes
  )
  return { kept: "float16" as const, ...found }
})

type Answering<E> = (x: NdArray.NdArray) => Effect.Effect<Engine.Arrays, E, Engine.Engine>

/**
 * How far the answers `after` are from those `before`, on all the samples, and both from the targets; on random points where there are no samples.
 */
const cost = Effect.fnUntraced(function* <E, F>(
  trained: Trained.Trained,
  { samples, targets }: Examples,
  batch: number,
  before: Answering<E>,
  after: Answering<F>,
  sizes: Agreement.Sizes
) {
  const { from, inputs } = drawn(trained, samples)
  const rows = Samples.all(inputs, { ...from, least: samples === undefined ? Comparison.least(batch) : 0 })
  let differences: Agreement.Differences = { maxAbsDifference: 0, maxRelativeDifference: 0 }
  let otherClass = 0
  const output = trained.task === "regression" ? "value" : "logit"
  const answers: { readonly before: Array<number>; readonly after: Array<number> } = { before: [], after: [] }
  for (const { x } of Comparison.inTurn(rows, batch)) {
    const [b, a] = [yield* before(x), yield* after(x)]
    differences = Agreement.larger(differences, Agreement.apart(b, a, sizes))
    for (const y of b[output]!.data) answers.before.push(y)
    for (const y of a[output]!.data) answers.after.push(y)
    otherClass += b.label?.data.filter((k, i) => k !== a.label!.data[i]).length ?? 0
  }
  const met = (of: ReadonlyArray<number>, meant: NdArray.NdArray) =>
    Agreement.met(trained.task, meant, { shape: meant.shape, data: Float64Array.from(of) })
  const judged = samples && targets && { before: met(answers.before, targets), after: met(answers.after, targets) }
  return {
    examples: rows.shape[0]!,
    ...differences,
    ...(trained.task !== "regression" && { otherClass }),
    ...(judged && { targets: judged })
  }
})

/** What the samples of a model are drawn from, and how many numbers each has. */
const drawn = (trained: Trained.Trained, given: NdArray.NdArray | undefined) => {
  const { circuit, origin, preprocessing } = trained
  const { elements } = Activations.input(trained)
  const columns = preprocessing?.columns
  const categories = columns?.map((of) => (of._tag === "Category" ? of.categories.length : 0))
  return {
    inputs: columns?.length ?? Circuit.inputs(circuit),
    from: { given, seed: origin.seed, categories, elements }
  }
}

/**
 * Compares the model with the free run on all data; fails with `ParityLost` where they differ, and returns what the record says, with some of the
 * samples.
 */
export const prove = Effect.fnUntraced(function* (
  trained: Trained.Trained,
  bytes: Uint8Array,
  file: string,
  options: Asked.Options & Examples
) {
  const { extent, freeRun, from, inFloat32, inputs, model, onCuda, recorded } = yield* beside(
    trained,
    bytes,
    file,
    options
  )
  const { batch } = extent
  const x = Samples.make(inputs, from)
  const notFinite = Samples.notFinite(inputs, { ...from, most: extent.exact })
  const answers = yield* freeRun(x)
  yield* Agreement.someFinite(file, answers)
  const sizes = Agreement.sizesOf(answers)
  const finite = Agreement.pair(answers, yield* model(x))
  const measured = yield* Comparison.roundingOn({ extent, freeRun, inFloat32, sizes }, x, answers, finite)
  const tolerance = Agreement.toleranceAt(measured.rounding)
  const exactly = Comparison.exactly(freeRun, extent)
  const outputs = Agreement.joined(finite, Agreement.pair(yield* exactly(notFinite), yield* model(notFinite)))
  const differences = yield* Agreement.compare(file, tolerance, outputs, sizes)

  const training = options.samples?.shape[0] ?? 0
  const all = Samples.all(inputs, { ...from, least: Comparison.least(batch) })
  const anything = Number.MAX_VALUE
  const cuda = onCuda && {
    cuda: yield* Comparison.everywhere(
      { extent, file, freeRun, inFloat32, model: onCuda, tolerance: anything, sizes },
      all
    )
  }
  const everywhere = yield* Comparison.everywhere({ extent, file, freeRun, inFloat32, model, tolerance, sizes }, all)
  const rows = [...Parity.toRows(x), ...Parity.toRows(notFinite)]
  return {
    ...measured,
    tolerance,
    ...said(sizes),
    examples: rows.length,
    ...differences,
    ...cuda,
    compared: {
      training,
      random: all.shape[0]! - training + Samples.random(inputs, training),
      notFinite: notFinite.shape[0]!,
      ...(batch < Comparison.most && { batch }),
      ...everywhere,
      ...Agreement.larger(differences, everywhere)
    },
    inputs: recorded(rows),
    outputs
  }
})

const said = (sizes: Agreement.Sizes) => (sizes.length === 0 ? {} : { sizes })
