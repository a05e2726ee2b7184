import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Cut,
  Dataset,
  Engine,
  Evaluation,
  LocalStep,
  Loss,
  Muon,
  type NdArray,
  Phase,
  Program,
  Progress,
  ReferenceEngine,
  type Tensor
} from "@rai/core"
import { Effect, Ref } from "effect"
import * as PhaseRun from "../../src/training/PhaseRun.ts"
import * as Fixture from "../fixtures/Fixture.ts"
import * as Maps from "../fixtures/Maps.ts"

interface Case {
  readonly widths: ReadonlyArray<number>
  readonly activation: Circuit.Activation
  readonly task: Dataset.Task
  readonly every: number
  readonly x: ReadonlyArray<ReadonlyArray<number>>
  readonly y: ReadonlyArray<ReadonlyArray<number>>
  readonly start: Maps.Parameters
  /** d of each map: [examples, outputs]. */
  readonly d: ReadonlyArray<ReadonlyArray<ReadonlyArray<number>>>
  readonly slopes: Maps.Parameters
  readonly centred: ReadonlyArray<Fixture.Numbers>
  readonly alternate: Maps.Parameters & { readonly epochs: number; readonly rate: number; readonly decay: number }
}

/** Written by local-step.py: plain NumPy in float64. */
const { cases } = Fixture.read<{ readonly cases: ReadonlyArray<Case> }>("local-step.json")

const tolerance = 1e-10

const circuitOf = ({ activation, widths }: Case) => Circuit.perceptron(widths, { activation })

const cutOf = ({ every }: Case): Cut.Cut => ({ ...Cut.paper, every })

/** Computes the slopes of one local step on a batch by name, and the centred ones under `centred/…`. */
const slopes = Effect.fnUntraced(function* (recorded: Case, x: NdArray.NdArray, y: NdArray.NdArray) {
  const circuit = circuitOf(recorded)
  const names = Object.keys(Circuit.parameters(circuit))
  const sites = Cut.sites(circuit, cutOf(recorded))
  const shapes = { ...Circuit.signature(circuit), x: x.shape, y: y.shape }
  const program = yield* Program.make(shapes, (given: Readonly<Record<string, Tensor.Tensor>>) => {
    const θ = (name: string) => given[name]!
    const step = LocalStep.make(circuit, sites, Loss.forTask[recorded.task], θ, names, given.x!, given.y!)
    const slopeOf = new Map(names.map((name, i) => [name, step.slopes[i]!]))
    const centred = [...step.means].map(([leaf, m]) => {
      const [weight, bias] = [slopeOf.get(`${leaf}.weight`)!, slopeOf.get(`${leaf}.bias`)!]
      return [`centred/${leaf}.weight`, LocalStep.centred(weight, bias, m)] as const
    })
    return { ...Object.fromEntries(slopeOf), ...Object.fromEntries(centred) }
  })
  return yield* Engine.run(program, { ...Maps.stacked(circuit, recorded.start), x, y })
})

/** Computes the input of each linear map in the free run: [examples, inputs]. */
const inputsOf = Effect.fnUntraced(function* (recorded: Case, parameters: Engine.Arrays) {
  const circuit = circuitOf(recorded)
  const x = Fixture.array(recorded.x)
  const program = yield* Program.make({ ...Circuit.signature(circuit), x: x.shape }, (given) => {
    const inputs: Record<string, Tensor.Tensor> = {}
    Evaluation.evaluate(circuit, (name) => given[name as "x"], given.x, {
      sites: new Set(),
      onCut: (_, ẑ) => ẑ,
      onInput: (path, z) => {
        inputs[path] = z
      }
    })
    return inputs
  })
  return yield* Engine.run(program, { ...parameters, x })
})

for (const recorded of cases) {
  const circuit = circuitOf(recorded)
  const maps = Maps.of(circuit)
  const [x, y] = [Fixture.array(recorded.x), Fixture.array(recorded.y)]
  const { activation, every, task, widths } = recorded

  describe(`mini-batch relaxing of ${widths} with ${activation}, ${task}, every ${every}`, () => {
    it.effect(`d_t of each example by itself, within ${tolerance}`, () =>
      Effect.gen(function* () {
        for (const i of recorded.x.keys()) {
          // The slope of a bias is the mean of d_t over the batch, here one example.
          const own = yield* slopes(recorded, Fixture.array([recorded.x[i]!]), Fixture.array([recorded.y[i]!]))
          maps.forEach((map, t) => {
            Fixture.near(Maps.part(own, map, "bias"), recorded.d[t]![i]!, tolerance, `d_${t + 1} of example ${i}`)
          })
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect(`the slopes of the local problems, plain and centred on the batch, within ${tolerance}`, () =>
      Effect.gen(function* () {
        const came = yield* slopes(recorded, x, y)
        Maps.near(circuit, came, recorded.slopes, tolerance, "slope of")
        maps.forEach((map, t) => {
          const centred = Maps.part(came, { ...map, leaf: `centred/${map.leaf}` }, "weight")
          Fixture.near(centred, recorded.centred[t]!, tolerance, `centred slope of weight ${t + 1}`)
        })
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect("the slopes are those of ½ mean ‖ẑ_t − z_t‖², by differences, within 1e-7", () =>
      Effect.gen(function* () {
        const [came, parameters] = [yield* slopes(recorded, x, y), Maps.stacked(circuit, recorded.start)]
        const inputs = yield* inputsOf(recorded, parameters)
        maps.forEach((map, t) => {
          if (!Cut.sites(circuit, cutOf(recorded)).has(map.path)) return
          const a = inputs[map.path]!.data
          const [W, b] = [Maps.part(parameters, map, "weight").data, Maps.part(parameters, map, "bias").data]
          const ẑ = (i: number, j: number) =>
            b[j]! +
            Array.from({ length: map.inputs }, (_, k) => a[i * map.inputs + k]! * W[k * map.outputs + j]!).reduce(
              (p, q) => p + q
            )
          const z = recorded.d[t]!.map((row, i) => row.map((d, j) => ẑ(i, j) - d))
          const energy = () =>
            z.flatMap((row, i) => row.map((value, j) => (ẑ(i, j) - value) ** 2)).reduce((p, q) => p + q) /
            (2 * z.length)
          for (const [name, numbers] of [
            ["weight", W],
            ["bias", b]
          ] as const) {
            const slope = Maps.part(came, map, name).data
            numbers.forEach((value, k) => {
              const h = 1e-4
              numbers[k] = value + h
              const above = energy()
              numbers[k] = value - h
              const below = energy()
              numbers[k] = value
              assert.approximately(slope[k]!, (above - below) / (2 * h), 1e-7, `${name} ${k} of map ${t + 1}`)
            })
          }
        })
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect("whole epochs: spectral steps, Adam for the rest, biases compensated, cosine decay, within 1e-9", () =>
      Effect.gen(function* () {
        const { decay, epochs, rate } = recorded.alternate
        const examples = recorded.x.length
        const data = yield* Dataset.make({
          inputs: x,
          targets: y,
          task,
          inputNames: Array.from({ length: widths[0]! }, (_, i) => `x${i}`)
        })
        const phase = Phase.alternate({
          epochs,
          batch: examples,
          cut: cutOf(recorded),
          optimizer: Muon.make(rate, { momentum: 0.9, nesterov: 0, decay })
        })
        const running = yield* PhaseRun.begin<never, never>(
          {
            subject: { circuit, task, x: x.shape, y: y.shape },
            data,
            validation: undefined,
            phase,
            stop: undefined,
            unit: undefined,
            seed: 0,
            clock: () => 0,
            saved: Ref.makeUnsafe(0),
            emit: () => Effect.void,
            onEvent: undefined,
            onSnapshot: undefined
          },
          { progress: Progress.start(), state: Maps.stacked(circuit, recorded.start) }
        )
        const { parameters } = yield* PhaseRun.end(running)
        Maps.near(circuit, parameters, recorded.alternate, 1e-9)
      }).pipe(Effect.scoped, Effect.provide(ReferenceEngine.layer))
    )
  })
}
