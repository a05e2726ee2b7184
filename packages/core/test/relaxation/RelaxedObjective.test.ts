import { assert, describe, it } from "@effect/vitest"
import {
  Circuit,
  Cut,
  Engine,
  Gradient,
  HiddenLoss,
  Loss,
  Moons,
  type NdArray,
  Plan,
  Program,
  Pseudorandom,
  ReferenceEngine,
  RelaxedObjective,
  Segments,
  Tensor,
  Training
} from "@rai/core"
import { Effect, Stream } from "effect"
import * as Maps from "../fixtures/Maps.ts"

/** A circuit with repeated hidden maps, so that their cuts are stacked. */
const circuit = Circuit.perceptron([2, 3, 3, 3, 3, 3, 1], { activation: "tanh" })
const [examples, hidden] = [4, 5]
const sites = Cut.sites(circuit, Cut.paper)
const places = Segments.places(circuit, sites)

const draw = (shape: ReadonlyArray<number>, label: string): NdArray.NdArray => ({
  shape,
  data: Pseudorandom.stream(1, label).normals(shape.reduce((a, b) => a * b, 1))
})

const parameters = Object.fromEntries(
  Object.entries(Circuit.parameters(circuit)).map(([name, { shape }]) => [name, draw(shape, name)])
)
const [x, y] = [draw([examples, 2], "x"), draw([examples, 1], "y")]

/** Returns an array for each cut under `kind/place`, stacked where the cuts are. */
const perCut = (kind: string): Engine.Arrays =>
  Object.fromEntries(
    places.map(({ name, sites: own, stacked }) => [
      `${kind}/${name}`,
      draw([...(stacked ? [own.length] : []), examples, 3], `${kind} ${name}`)
    ])
  )

const given: Engine.Arrays = { ...parameters, ...perCut("z"), ...perCut("u"), ...perCut("noise"), x, y }

/** Returns the t-th cut's numbers, row by row. */
const ofCut = (kind: string, t: number): ReadonlyArray<ReadonlyArray<number>> => {
  const path = [...sites][t]!
  const { name, sites: own } = places.find((place) => place.sites.includes(path))!
  const from = own.indexOf(path) * examples * 3
  const { data } = given[`${kind}/${name}`]!
  return Array.from({ length: examples }, (_, i) => Array.from(data.slice(from + i * 3, from + i * 3 + 3)))
}

interface Settings {
  readonly energy?: RelaxedObjective.Energy
  readonly λ?: number
  readonly weight?: (site: string, index: number) => number
  readonly penalty?: number
  readonly multipliers?: boolean
  readonly noise?: boolean
  readonly hidden?: HiddenLoss.HiddenLoss
}

const relaxation = (settings: Settings, of: (name: string) => Tensor.Tensor): RelaxedObjective.Relaxation => ({
  sites,
  hidden: settings.hidden ?? HiddenLoss.squared,
  energy: settings.energy ?? "mean",
  λ: settings.λ ?? 1,
  weight: settings.weight,
  penalty: settings.penalty,
  ...(settings.multipliers === true ? { multiplier: (place: string) => of(`u/${place}`) } : {}),
  ...(settings.noise === true ? { noise: (place: string) => of(`noise/${place}`) } : {})
})

const lossOf = Effect.fnUntraced(function* (settings: Settings) {
  const signature = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  return yield* Program.make(signature, (inputs: Readonly<Record<string, Tensor.Tensor>>) => {
    const of = (name: string) => inputs[name]!
    const z = (place: string) => of(`z/${place}`)
    const { loss, residuals } = RelaxedObjective.make(
      circuit,
      relaxation(settings, of),
      Loss.meanSquaredError,
      of,
      z,
      of("x"),
      of("y")
    )
    return { loss, residuals: residuals! }
  })
})

const rows = ({ data, shape }: NdArray.NdArray): ReadonlyArray<ReadonlyArray<number>> =>
  Array.from({ length: shape[0]! }, (_, i) => Array.from(data.slice(i * shape[1]!, (i + 1) * shape[1]!)))

const mean = (numbers: ReadonlyArray<number>) => numbers.reduce((a, b) => a + b, 0) / numbers.length

/** Evaluates eq. 4 in plain loops, one map after the other. */
const plainly = (settings: Settings) => {
  const { energy = "mean", hidden: L_h = HiddenLoss.squared, penalty = 0, weight, λ = 1 } = settings
  let input = rows(x)
  let [loss, energies] = [0, 0]
  const residuals: Array<number> = []
  const reduce = (each: ReadonlyArray<number>) => (energy === "mean" ? mean(each) : mean(each) * each.length)
  Maps.of(circuit).forEach((map, t) => {
    const [W, b] = [rows(Maps.part(parameters, map, "weight")), Maps.part(parameters, map, "bias").data]
    const ẑ = input.map((row) => Array.from(b, (bias, j) => bias + row.reduce((sum, a, k) => sum + a * W[k]![j]!, 0)))
    if (t === hidden) {
      loss = mean(ẑ.map(([o], i) => (o! - y.data[i]!) ** 2))
      return
    }
    const [z, u, ξ] = [ofCut("z", t), ofCut("u", t), ofCut("noise", t)]
    const differences = z.map((row, i) => row.map((value, j) => value - ẑ[i]![j]!))
    const dot = (a: ReadonlyArray<number>, c: ReadonlyArray<number>) =>
      a.reduce((sum, value, j) => sum + value * c[j]!, 0)
    const each =
      L_h.name === "squared"
        ? differences.flat().map((d) => d * d)
        : L_h.name === "huber"
          ? differences.flat().map((d) => (Math.abs(d) < 1 ? (d * d) / 2 : Math.abs(d) - 0.5))
          : z.map((row, i) => 1 - dot(row, ẑ[i]!) / Math.sqrt(dot(row, row) * dot(ẑ[i]!, ẑ[i]!)))
    energies += (weight?.(map.path, t) ?? 1) * reduce(each)
    residuals.push(mean(differences.flat().map((d) => d * d)))
    energies += (penalty * mean(z.flat().map((value) => value * value))) / (λ || 1)
    if (settings.multipliers === true)
      energies -= reduce(differences.flatMap((row, i) => row.map((d, j) => u[i]![j]! * d))) / (λ || 1)
    input = z.map((row, i) => row.map((value, j) => Math.tanh(value + (settings.noise === true ? ξ[i]![j]! : 0))))
  })
  return { loss: loss + λ * energies, residuals }
}

const cases: Readonly<Record<string, Settings>> = {
  "the paper's": {},
  "energies as sums": { energy: "sum" },
  "λ a half": { λ: 0.5 },
  "a factor for each cut": { weight: (_, index) => 2 ** -index },
  "a factor by place, sums": { weight: (site) => (site === "0" ? 3 : Number(site.split(".")[1])), energy: "sum" },
  "a penalty": { penalty: 0.3, λ: 2 },
  "a penalty beside sums": { penalty: 0.3, energy: "sum" },
  multipliers: { multipliers: true, λ: 0.7 },
  "multipliers beside sums": { multipliers: true, energy: "sum" },
  noise: { noise: true },
  "Huber's loss": { hidden: HiddenLoss.huber },
  "Huber's loss, sums": { hidden: HiddenLoss.huber, energy: "sum", weight: (_, index) => index + 1 },
  cosine: { hidden: HiddenLoss.cosine },
  "cosine, sums": { hidden: HiddenLoss.cosine, energy: "sum", weight: (_, index) => index + 1 },
  "all at once": {
    hidden: HiddenLoss.huber,
    energy: "sum",
    λ: 0.3,
    weight: (_, index) => index + 1,
    penalty: 0.1,
    multipliers: true,
    noise: true
  }
}

describe("the relaxed objective of a circuit with stacked cuts is eq. 4 in plain loops, within 1e-10", () => {
  it("some of its cuts are stacked", () => {
    assert.isTrue(places.some(({ stacked }) => stacked))
    assert.strictEqual(sites.size, hidden)
  })

  for (const [name, settings] of Object.entries(cases)) {
    it.effect(`${name}: the loss and each cut's residual`, () =>
      Effect.gen(function* () {
        const { loss, residuals } = yield* Engine.run(yield* lossOf(settings), given)
        const expected = plainly(settings)
        assert.approximately(loss!.data[0]!, expected.loss, 1e-10 * (1 + Math.abs(expected.loss)))
        expected.residuals.forEach((residual, t) => {
          assert.approximately(residuals!.data[t]!, residual, 1e-10 * (1 + residual))
        })
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )

    it.effect(`${name}: gradients by differences`, () =>
      Effect.gen(function* () {
        const program = yield* lossOf(settings)
        const names = [...Object.keys(parameters), ...places.map((place) => `z/${place.name}`)]
        const slopes = yield* Engine.run(yield* Gradient.make({ of: "loss", inputs: names })(program), given)
        for (const name of names) {
          const { data, shape } = given[name]!
          const direction = draw(shape, `direction ${name}`).data
          const moved = (h: number) => ({
            ...given,
            [name]: { shape, data: Float64Array.from(data, (value, i) => value + h * direction[i]!) }
          })
          const h = 1e-5
          const [above, below] = [yield* Engine.run(program, moved(h)), yield* Engine.run(program, moved(-h))]
          const expected = (above.loss!.data[0]! - below.loss!.data[0]!) / (2 * h)
          const slope = slopes[`gradient/${name}`]!.data
          const came = Array.from(direction, (d, i) => d * slope[i]!).reduce((p, q) => p + q)
          assert.approximately(came, expected, 1e-6 * (1 + Math.abs(expected)), name)
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})

it.effect("residuals and factors are in order of evaluation, also of a repeated block with several cuts", () =>
  Effect.gen(function* () {
    const both = Cut.sites(circuit, { ...Cut.paper, after: "linear+tanh" })
    const asked: Array<string> = []
    const weight = (site: string, index: number) => {
      asked[index] = site
      return 1
    }
    // Of auxiliaries that are all 0, a linear map gives its bias, and tanh 0.
    const signature = Object.fromEntries(
      Object.entries({ ...parameters, x, y }).map(([name, { shape }]) => [name, shape])
    )
    const zero = (place: string) =>
      Tensor.constant(0).broadcastTo([
        ...(place.includes("*")
          ? [Segments.places(circuit, both).find(({ name }) => name === place)!.sites.length]
          : []),
        examples,
        3
      ])
    const program = yield* Program.make(signature, (inputs: Readonly<Record<string, Tensor.Tensor>>) => {
      const of = (name: string) => inputs[name]!
      const relaxed = { ...relaxation({ weight }, of), sites: both }
      const made = RelaxedObjective.make(circuit, relaxed, Loss.meanSquaredError, of, zero, of("x"), of("y"))
      return { residuals: made.residuals! }
    })
    const { residuals } = yield* Engine.run(program, { ...parameters, x, y })
    const maps = Maps.of(circuit)
    const expected = [...both].map((site, t) => {
      const map = maps.find(({ path }) => path === site)
      if (map === undefined) return 0
      const bias = Array.from(Maps.part(parameters, map, "bias").data)
      if (t > 0) return mean(bias.map((b) => b * b))
      // What goes into the first map are the data.
      const weight = Maps.part(parameters, map, "weight").data
      const width = x.shape[1]!
      return mean(
        Array.from({ length: examples }, (_, row) =>
          bias.map((b, unit) => {
            const products = Array.from(
              { length: width },
              (_, k) => x.data[row * width + k]! * weight[k * bias.length + unit]!
            )
            return products.reduce((p, q) => p + q, b) ** 2
          })
        ).flat()
      )
    })
    assert.deepStrictEqual(asked, [...both])
    assert.isAbove(expected.filter((square) => square > 0).length, 4)
    for (const t of expected.keys()) assert.approximately(residuals!.data[t]!, expected[t]!, 1e-12)
  }).pipe(Effect.provide(ReferenceEngine.layer))
)

describe("a stage of one's own is in a stack what it is alone", () => {
  const stages: Readonly<Record<string, (z: Tensor.Tensor) => Tensor.Tensor>> = {
    "scaled by its width": (z) => z.mul(1 / Math.sqrt(Number(z.shape[1]))),
    "another formula for many numbers": (z) => (z.shape.length > 2 ? z.neg() : z.tanh()),
    "bounds that JSON writes alike": (z) =>
      z.minimum(Tensor.constant(z.shape.length > 2 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)).exp(),
    "a rank that it insists on": (z) => {
      if (z.shape.length !== 2) throw new Error("expected examples and units alone")
      return z.tanh()
    },
    "a reshape that changes nothing": (z) => z.reshape([z.shape[0]!, 5]).tanh(),
    "a slice of everything": (z) => z.slice(1, 0, 5).tanh(),
    "a sum along its width": (z) => z.div(z.square().sum([1]).add(1).broadcastTo(z.shape)),
    "a row of factors": (z) => z.mul(Tensor.constant(2).broadcastTo([5]))
  }
  for (const [name, stage] of Object.entries(stages)) {
    it.effect(name, () =>
      Effect.gen(function* () {
        const { linear, repeat, sequence } = Circuit
        const own = sequence(linear(2, 5), repeat(sequence(Circuit.stage("own", stage), linear(5, 5)), 4), linear(5, 1))
        const data = yield* Moons.make({ examples: 3 })
        const events = yield* Stream.runCollect(Training.stream(own, data, { plan: Plan.relax({ steps: 1 }), seed: 0 }))
        const [first] = events.flatMap((event) => (event._tag === "Step" ? [event.measurement!] : []))
        // Auxiliaries begin as the free run's activations, so every cut is closed.
        assert.strictEqual(first!.residuals.length, 5)
        for (const residual of first!.residuals) assert.approximately(residual, 0, 1e-20)
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
  }
})
