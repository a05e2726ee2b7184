/**
 * The state of a phase, by name, and its shapes:
 *
 *     parameters   1.*.1.weight        auxiliaries   z/1.*.1          multipliers   u/1.*.1
 *     slots        step/1.*.1.weight   held          good/1.*.1.weight                data   x, y, validation/x, validation/y
 *
 * A step is also given what changes from step to step: `rate/…` of each rule, `λ`, the batch as `x` and `y`, `noise/…`, and what blocks draw,
 * `1.*.2.uniform`.
 */
import { Effect, Record, Struct } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Task } from "../data/Dataset.ts"
import type { Arrays } from "../engine/Engine.ts"
import * as Program from "../program/Program.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import * as Segments from "../relaxation/Segments.ts"
import * as Uniforms from "../relaxation/Uniforms.ts"
import * as NdArray from "../tensor/NdArray.ts"
import type { Tensor } from "../tensor/Tensor.ts"
import * as Phase from "./Phase.ts"
import * as Rates from "./Rates.ts"
import * as Together from "./Together.ts"

/** What a phase is carried out on. */
export interface Subject {
  readonly circuit: Circuit.Circuit
  readonly task: Task
  /** The shapes of the training data: [examples, inputs] and [examples, outputs]. */
  readonly x: ReadonlyArray<number>
  readonly y: ReadonlyArray<number>
  /** The number of validation examples, where there are any. */
  readonly validation?: number | undefined
}

/** Tensors by name. */
export type Given = Readonly<Record<string, Tensor>>

/** Shapes by name. */
export type Shapes = Readonly<Record<string, ReadonlyArray<number>>>

/** The name of the auxiliaries of a place. */
export const auxiliary = (place: string): string => `z/${place}`

/** The name of a place's multipliers. */
export const multiplier = (place: string): string => `u/${place}`

/** The name of a place's noise. */
export const noise = (place: string): string => `noise/${place}`

/** The name of what is held of an array. */
export const good = (of: string): string => `good/${of}`

/** The name of what a rule remembers of an array. */
export const slot = (name: string, of: string): string => `${name}/${of}`

/** The place of auxiliaries or multipliers, or of what a rule remembers of them; undefined of all else. */
const placeOf = (name: string): string | undefined => /^(?:[^/]+\/)?[zu]\/(.*)$/.exec(name)?.[1]

/** Whether an array is auxiliaries or multipliers, of which each example has its own. */
export const isOfExamples = (name: string): boolean => /^[zu]\//.test(name)

/** The layout of a phase's state. */
export interface PhaseState {
  readonly sites: ReadonlySet<string>
  /** parameters → auxiliaries at the free run's predictions of all examples; of relaxing phases. */
  readonly refresh: Program.Program | undefined
  /** What a step takes and gives: parameters, auxiliaries, multipliers and slots, of one batch where there are batches. */
  readonly stepped: Shapes
  /** Parameters, auxiliaries and multipliers of all examples. */
  readonly whole: Shapes
  /** What a step moves, small arrays joined. */
  readonly together: ReadonlyArray<Together.Together>
  /** What the rules remember at first, at the phase's rates times a factor; of one array after the other, which need not all be there at once. */
  readonly slots: (factor: number) => ReadonlyArray<() => Arrays>
  /** Multipliers at 0. */
  readonly multipliers: Arrays
  /** With batches: the axis of the examples of each array that is kept per example, by name. */
  readonly perExample: ReadonlyMap<string, 0 | 1>
  /** The shape of the noise of one step, and of what blocks draw in it, by name. */
  readonly noise: Shapes
  readonly uniforms: Shapes
}

/** The layout of a phase's state on a circuit and data of the given shapes. */
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
  const together = Together.make(moved, (name) =>
    isKept(name) || Rates.rule(circuit, phase, name).others !== undefined
      ? undefined
      : `together/${Rates.of(circuit, phase, name)}`
  )
  /** Where `all` are given, of all examples: z and its multiplier have one shape. */
  const slots = (factor: number, of: Shapes) =>
    together.map(({ members, name, shape }) => (): Arrays => {
      const { initial, rate } = Rates.rule(circuit, phase, members[0]!)
      const own = (isKept(name) ? of[placeOf(name)!] : undefined) ?? shape
      return Record.mapKeys(initial(own, rate * factor), (remembered) => slot(remembered, name))
    })
  const slotShapes = Object.fromEntries(
    together.flatMap(({ members, name, shape }) => {
      // Of one number a rule remembers either one, or a single one of the whole array.
      const { initial } = Rates.rule(circuit, phase, members[0]!)
      return Object.entries(initial([1], 1)).map(
        ([remembered, { shape: one }]) => [slot(remembered, name), one.length === 0 ? one : shape] as const
      )
    })
  )
  const stacked = new Map(Segments.places(circuit, sites).map((place) => [place.name, place.stacked]))
  const perExample = Object.entries({ ...auxiliaries(batch!), ...slotShapes })
    .filter(([name, shape]) => isKept(name) && shape.length >= 2)
    .map(([name]) => [name, stacked.get(placeOf(name)!) === true ? 1 : 0] as const)
  const state: PhaseState = {
    sites,
    refresh,
    stepped: { ...parameters, ...auxiliaries(batch!), ...slotShapes },
    whole: { ...parameters, ...auxiliaries(all!) },
    together,
    slots: (factor) => slots(factor, all!),
    multipliers: hasMultipliers ? Record.map(Record.mapKeys(all!, multiplier), (shape) => NdArray.full(shape, 0)) : {},
    perExample: new Map(perExample),
    noise: phase.kind === "relax" && phase.noise !== undefined ? Record.mapKeys(batch!, noise) : {},
    uniforms
  }
  return state
})

/** The shapes of auxiliaries by their place. */
const byPlace = (tensors: Given): Shapes =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape }]) => [placeOf(name)!, shape as ReadonlyArray<number>])
  )
