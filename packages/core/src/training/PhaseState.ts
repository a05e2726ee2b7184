/**
 * The state of a phase, by name, and its shapes:
 *
 *     parameters   1.*.1.weight        auxiliaries   z/1.*.1          multipliers   u/1.*.1
 *     slots        step/1.*.1.weight   held          good/1.*.1.weight                data   x, y, validation/x, validation/y
 *
 * A step also takes inputs that change from step to step: the `rate/…` of each rule, `λ`, the batch as `x` and `y`, `noise/…`, and the random
 * numbers of blocks, such as `1.*.2.uniform`.
 */
import { Effect, Record, Struct } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Arrays } from "../engine/Engine.ts"
import type { Optimizer } from "../optimization/Optimizer.ts"
import * as Program from "../program/Program.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import * as Segments from "../relaxation/Segments.ts"
import * as Uniforms from "../relaxation/Uniforms.ts"
import * as NdArray from "../tensor/NdArray.ts"
import * as Shape from "../tensor/Shape.ts"
import { ShapeMismatch } from "../tensor/ShapeMismatch.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Throwing from "../tensor/Throwing.ts"
import * as Elementwise from "./Elementwise.ts"
import * as ParameterGroup from "./ParameterGroup.ts"
import * as Phase from "./Phase.ts"
import * as Rates from "./Rates.ts"

/** What a phase trains: the circuit, its task and the shapes of the data. */
export interface Subject {
  readonly circuit: Circuit.Circuit
  readonly task: Task
  /** Shapes of the training data: [examples, inputs] and [examples, outputs]. */
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
  /** Number of validation examples, if any. */
  readonly validation?: number | undefined
}

/** Tensors by name. */
export type Given = Readonly<Record<string, Tensor>>

/** Shapes by name. */
export type Shapes = Readonly<Record<string, ReadonlyArray<number>>>

/** Returns the name of a place's auxiliaries. */
export const auxiliary = (place: string): string => `z/${place}`

/** Returns the name of a place's multipliers. */
export const multiplier = (place: string): string => `u/${place}`

/** Returns the name of a place's noise. */
export const noise = (place: string): string => `noise/${place}`

/** Returns the name of an array's held copy. */
export const good = (of: string): string => `good/${of}`

/** Returns the name under which a check reports an array's lost numbers. */
export const lost = (of: string): string => `lost/${of}`

/** Returns the name under which a measurement reports an array's squared gradient. */
export const gradient = (of: string): string => `gradient/${of}`

/** Returns the name of an optimiser slot of an array. */
export const slot = (name: string, of: string): string => `${name}/${of}`

/** What a slot cannot be called: its array would have the name of another. */
const taken: ReadonlyArray<string> = [auxiliary, multiplier, noise, good, lost, gradient].map((name) =>
  name("").slice(0, -1)
)

/**
 * The shapes of a rule's slots for an array: the array's own, or [] for one number. Fails where a slot has another shape, or is called as the state
 * calls arrays of its own.
 */
const slotShapesOf = ({ initial, name: rule }: Optimizer, shape: ReadonlyArray<number>): Shapes => {
  // A small array of as many axes, each of another length, shows what belongs to which axis.
  const probe = shape.map((_, axis) => axis + 2)
  const operation = `the rule ${rule}`
  const slots = Throwing.at(operation, () => initial(probe, 1))
  return Record.map(slots, ({ shape: came }, name) => {
    if (taken.includes(name) || name.includes("/")) {
      const expected = `slots called otherwise than ${taken.join(", ")}, and without a /`
      throw new ShapeMismatch({ operation, expected, came: name, advice: "give the slot another name" })
    }
    if (came.length === 0) return []
    if (Shape.equals(came, probe)) return shape
    throw new ShapeMismatch({
      operation,
      expected: `slots of the array's shape ${Shape.show(probe)}, or []`,
      came: `${name} ${Shape.show(came)}`,
      advice: "keep one number for each of the array's, or a single one"
    })
  })
}

/** Returns the place that auxiliaries, multipliers or their optimiser slots belong to; undefined for any other name. */
const placeOf = (name: string): string | undefined => /^(?:[^/]+\/)?[zu]\/(.*)$/.exec(name)?.[1]

/** Whether an array holds auxiliaries or multipliers, which are per example. */
export const isOfExamples = (name: string): boolean => /^[zu]\//.test(name)

/** The layout of a phase's state. */
export interface PhaseState {
  readonly sites: ReadonlySet<string>
  /** parameters → auxiliaries set to the free run's predictions for all examples; only in relaxing phases. */
  readonly refresh: Program.Program | undefined
  /** Input and output of a step: parameters, auxiliaries, multipliers and slots; those of one batch where training is in batches. */
  readonly stepped: Shapes
  /** Parameters, auxiliaries and multipliers of all examples. */
  readonly whole: Shapes
  /** The arrays that a step updates, small ones concatenated. */
  readonly groups: ReadonlyArray<ParameterGroup.ParameterGroup>
  /** Initial optimiser slots, at the phase's rates times a factor; one thunk per array, so that they need not all be in memory at once. */
  readonly slots: (factor: number) => ReadonlyArray<() => Arrays>
  /** Multipliers, initialised to 0. */
  readonly multipliers: Arrays
  /** With batches: the example axis of each array that is kept per example, by name. */
  readonly perExample: ReadonlyMap<string, 0 | 1>
  /** Shapes of one step's noise, and of the random numbers that blocks draw in it, by name. */
  readonly noise: Shapes
  readonly uniforms: Shapes
}

/** Lays out a phase's state for a circuit and data of the given shapes. */
export const make = Effect.fnUntraced(function* ({ circuit, x }: Subject, phase: Phase.Phase) {
  const parameters = Circuit.signature(circuit) as Shapes
  const sites = Phase.sites(phase, circuit)
  const predictions = (examples: number) =>
    Program.make({ ...parameters, x: [examples, ...x.slice(1)] }, (given: Given) =>
      Record.mapKeys(
        Auxiliaries.freeRun(circuit, sites, (name) => given[name]!, given.x!),
        auxiliary
      )
    )
  const [examples] = x as readonly [number]
  const size = phase.batch ?? examples
  const uniforms = yield* Program.check(() => Uniforms.shapes(circuit, [size, ...x.slice(1)]))
  const refresh = phase.kind === "relax" ? yield* predictions(examples) : undefined
  const ofBatch = refresh !== undefined && size !== examples ? yield* predictions(size) : refresh
  const [all, batch] = [refresh, ofBatch].map((program) => byPlace(program?.outputs ?? {}))
  const hasMultipliers = phase.kind === "relax" && phase.multipliers !== undefined
  const auxiliaries = (of: Shapes): Shapes => ({
    ...Record.mapKeys(of, auxiliary),
    ...(hasMultipliers ? Record.mapKeys(of, multiplier) : {})
  })

  const moved = { ...Struct.pick(parameters, Phase.trained(phase, circuit)), ...Record.mapKeys(batch!, auxiliary) }
  const isKept = (name: string) => phase.batch !== undefined && placeOf(name) !== undefined
  const isElementwise = Record.map(Rates.rules(phase), Elementwise.holds)
  const groups = ParameterGroup.make(moved, (name) => {
    const rate = Rates.of(circuit, phase, name)
    // Snapshots keep slots under this name.
    return !isKept(name) && isElementwise[rate] ? `together/${rate}` : undefined
  })
  const stacked = new Map(Segments.places(circuit, sites).map((place) => [place.name, place.stacked]))
  /** The axis of the examples in arrays that are kept per example. */
  const axisOf = (name: string) => (isKept(name) ? (stacked.get(placeOf(name)!) === true ? 1 : 0) : undefined)
  /** Slots kept per example get the shape in `of`, that of all examples: z and its multiplier have the same shape. */
  const slots = (factor: number, of: Shapes) =>
    groups.map(({ members, name, shape }) => (): Arrays => {
      const { initial, rate } = Rates.rule(circuit, phase, members[0]!)
      const own = (isKept(name) ? of[placeOf(name)!] : undefined) ?? shape
      const axis = axisOf(name)
      return Record.mapEntries(initial(own, rate * factor), (array, remembered) => [
        slot(remembered, name),
        axis === undefined ? array : ofEach(array, own, axis)
      ])
    })
  const slotShapes = yield* Program.check(
    () =>
      Object.assign(
        {},
        ...groups.map(({ members, name, shape }) => {
          const axis = axisOf(name)
          return Record.mapEntries(slotShapesOf(Rates.rule(circuit, phase, members[0]!), shape), (own, remembered) => [
            slot(remembered, name),
            axis === undefined || own.length > 0 ? own : along(axis, shape)
          ])
        })
      ) as Shapes
  )
  const perExample = Object.keys({ ...auxiliaries(batch!), ...slotShapes }).flatMap((name) => {
    const axis = axisOf(name)
    return axis === undefined ? [] : [[name, axis] as const]
  })
  const state: PhaseState = {
    sites,
    refresh,
    stepped: { ...parameters, ...auxiliaries(batch!), ...slotShapes },
    whole: { ...parameters, ...auxiliaries(all!) },
    groups,
    slots: (factor) => slots(factor, all!),
    multipliers: hasMultipliers ? Record.map(Record.mapKeys(all!, multiplier), (shape) => NdArray.full(shape, 0)) : {},
    perExample: new Map(perExample),
    noise: phase.kind === "relax" && phase.noise !== undefined ? Record.mapKeys(batch!, noise) : {},
    uniforms
  }
  return state
})

/** The shape of one number for each example, which fits an array of the given shape. */
const along = (axis: number, shape: ReadonlyArray<number>): ReadonlyArray<number> =>
  shape.map((n, at) => (at === axis ? n : 1))

/**
 * A slot for arrays that are kept per example: a single number becomes one of each example, since a batch moves only its own examples. Adam's count
 * then says how often an example has been moved.
 */
const ofEach = (slot: NdArray.NdArray, shape: ReadonlyArray<number>, axis: number): NdArray.NdArray => {
  if (slot.shape.length > 0) return slot
  const each = along(axis, shape)
  return { shape: each, data: new Float64Array(NdArray.size(each)).fill(slot.data[0]!) }
}

/** The state of a snapshot; runs begun earlier had one count for all examples, which becomes that of each. */
export const continued = ({ perExample, stepped }: PhaseState, { x }: Subject, state: Arrays): Arrays =>
  Record.map(state, (array, name) => {
    const own = name.replace(good(""), "")
    const axis = perExample.get(own)
    return axis === undefined ? array : ofEach(array, stepped[own]!.with(axis, x[0]!), axis)
  })

/** Shapes of auxiliaries by place. */
const byPlace = (tensors: Given): Shapes =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape }]) => [placeOf(name)!, shape as ReadonlyArray<number>])
  )
