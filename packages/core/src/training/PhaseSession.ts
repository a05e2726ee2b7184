/**
 * A phase's state in the engine, and the operations on it: steps, measurements, holding and restoring.
 */
import { Effect, Record } from "effect"
import * as Circuit from "../circuit/Circuit.ts"
import type { Dataset } from "../data/Dataset.ts"
import type { Parts } from "../data/Parts.ts"
import { type Arrays, Engine } from "../engine/Engine.ts"
import * as Auxiliaries from "../relaxation/Auxiliaries.ts"
import * as Segments from "../relaxation/Segments.ts"
import * as NdArray from "../tensor/NdArray.ts"
import * as BatchSource from "./BatchSource.ts"
import * as Drawn from "./Drawn.ts"
import * as Kept from "./Kept.ts"
import * as Measurement from "./Measurement.ts"
import type * as Phase from "./Phase.ts"
import * as PhaseState from "./PhaseState.ts"
import * as Programs from "./Programs.ts"
import * as Rates from "./Rates.ts"
import * as TargetUnit from "./TargetUnit.ts"

/** What a phase trains on. */
export interface Work<E, R> {
  readonly subject: PhaseState.Subject
  readonly data: Dataset
  readonly validation: Dataset | undefined
  /** Source of batches, if not the data. */
  readonly parts?: Parts<E, R> | undefined
  readonly phase: Phase.Phase
  /** Unit that targets are trained in, if any; losses, also one that the stop names, stay in the targets' own unit. */
  readonly unit: TargetUnit.TargetUnit | undefined
  /** Determines the order of batches and all random numbers. */
  readonly seed: number
}

/**
 * Opens the phase of the given index in its plan, from parameters or from the whole state of a snapshot; the scope owns the session. `factor` is
 * what remains of the rates after a careful phase has lowered them.
 */
export const open = Effect.fnUntraced(function* <E, R>(
  { data, parts, phase, seed, subject, unit, validation }: Work<E, R>,
  number: number,
  from: { readonly parameters: Arrays } | { readonly state: Arrays }
) {
  const engine = yield* Engine
  const { circuit } = subject
  // Each phase has its own batch orders and noise.
  const labelled = (label: number) => number * 1_000_000_000 + label
  const source =
    phase.batch === undefined
      ? undefined
      : parts === undefined
        ? BatchSource.memory(data, phase.batch, seed, labelled(0))
        : yield* BatchSource.parts(parts, data, phase.batch, seed, labelled(0))
  const perEpoch = source?.perEpoch ?? 1
  const total = phase.steps ?? phase.epochs * perEpoch
  const refreshed = phase.kind === "relax" && phase.refresh !== undefined ? phase.refresh * perEpoch : undefined
  const layout = yield* PhaseState.make(subject, phase)
  const programs = yield* Programs.make(subject, phase, layout, unit)
  const targets = (y: NdArray.NdArray) => (unit === undefined ? y : TargetUnit.into(unit, y))
  const measuredData: Arrays = {
    x: data.inputs,
    y: targets(data.targets),
    ...(validation && { "validation/x": validation.inputs, "validation/y": targets(validation.targets) })
  }
  const kept = Kept.make(layout.perExample)
  const session = yield* engine.session({
    ...measuredData,
    ...kept.take("state" in from ? PhaseState.continued(layout, subject, from.state) : from.parameters)
  })
  const write = (state: Arrays) => Effect.suspend(() => session.write(kept.take(state)))

  /** Inputs that change from step to step: rates, λ, random numbers. */
  const changing = (step: number, factor: number): Arrays => ({
    ...Rates.values(phase, factor, step / total),
    ...Drawn.values(layout, phase, seed, labelled(step))
  })
  /** Prepares the inputs of `count` steps from `step` on. Reading a batch may take any time, so this, unlike a step, may be interrupted. */
  const prepare = (step: number, count: number, factor: number) =>
    Effect.forEach(
      Array.from({ length: count }, (_, i) => step + i),
      (one) =>
        Effect.map(source === undefined ? Effect.undefined : source.at(one), (batch) => ({
          batch,
          given: { ...changing(one, factor), ...(batch && { x: batch.x, y: targets(batch.y) }) }
        }))
    )
  /** Runs the steps that were prepared. */
  const advance = Effect.fnUntraced(function* (steps: Effect.Success<ReturnType<typeof prepare>>) {
    if (source === undefined) {
      return void (yield* session.advance(programs.step, ...steps.map(({ given }) => given)))
    }
    for (const { batch, given } of steps) {
      const { indices } = batch!
      kept.scatter(indices, yield* session.advance(programs.step, { ...given, ...kept.rows(indices) }))
    }
  })
  const refresh = Effect.suspend(() => Effect.flatMap(session.advance(programs.refresh!), write))
  /** Refreshes auxiliaries if a refresh is due after `done` steps. */
  const refreshIfDue = (done: number) => (refreshed !== undefined && done % refreshed === 0 ? refresh : Effect.void)
  const look = Effect.suspend(() => {
    const own = Record.filter(kept.own(), (_, name) => PhaseState.isOfExamples(name))
    return Effect.map(session.advance(programs.measure, own), (report) =>
      Measurement.fromReport(circuit, subject.x[0]!, subject.validation ?? 1, report, unit?.variance ?? 1)
    )
  })

  /** Resets the optimiser slots. */
  const remember = (factor: number) =>
    Effect.forEach(layout.slots(factor), (slots) => write(slots()), { discard: true })
  /**
   * Allocates the held copies in the engine, so that it copies the state itself; a round trip through this process would take as much memory again.
   */
  const room = Effect.suspend(() =>
    session.write(
      Record.mapEntries(programs.hold.inputs, ({ shape }, name) => [
        PhaseState.good(name),
        NdArray.full(shape as ReadonlyArray<number>, 0)
      ])
    )
  )
  let hasRoom = "state" in from && Object.keys(programs.restore.inputs).every((name) => name in from.state)
  /** Holds the current state as the one to go back to. */
  const hold = Effect.suspend(() => {
    kept.hold()
    const first = hasRoom ? Effect.void : room
    hasRoom = true
    return Effect.andThen(first, session.advance(programs.hold))
  })
  const restore = Effect.suspend(() => {
    kept.restore()
    return session.advance(programs.restore)
  })

  const cuts = new Map(Segments.places(circuit, layout.sites).map((place) => [`z/${place.name}`, place.sites]))
  /**
   * Finds where numbers first became NaN or infinite after the held step: repeats the steps and checks after each one. It may be interrupted, which
   * leaves the state midway.
   */
  const locate = Effect.fnUntraced(function* (since: number, to: number, factor: number) {
    yield* restore
    for (let step = since; step < to; step++) {
      yield* advance(yield* prepare(step, 1, factor))
      yield* refreshIfDue(step + 1)
      const path = lostIn(yield* session.advance(programs.check), cuts) ?? lostIn(prefixed(kept.own()), cuts)
      if (path !== undefined) return { step: step + 1, path }
      yield* Effect.yieldNow
    }
    return { step: to, path: "the loss" }
  })
  /** The state for a snapshot; undefined where not all of it is finite. */
  const state = Effect.suspend(() =>
    Effect.map(session.read(), (all) => {
      const found: Arrays = { ...Record.filter(all, (_, name) => !(name in measuredData)), ...kept.copies() }
      return lostIn(prefixed(found)) === undefined ? found : undefined
    })
  )
  const parameters = Effect.suspend(() => session.read(Object.keys(Circuit.parameters(circuit))))

  if ("parameters" in from) {
    if (programs.refresh !== undefined) yield* refresh
    if (phase.kind === "relax" && phase.auxiliaries === "sweep") {
      const swept = yield* Auxiliaries.sweep(circuit, layout.sites, from.parameters, data.inputs)
      yield* write(Record.mapKeys(swept, PhaseState.auxiliary))
    }
    yield* remember(1)
    yield* write(layout.multipliers)
  }
  const interval = phase.interval * perEpoch
  /** Number of steps from `step` until the next measurement or refresh, or the end of the phase. */
  const left = (step: number): number =>
    Math.min(interval - (step % interval), (refreshed ?? interval) - (step % (refreshed ?? interval)), total - step)
  /** Whether the state is measured after `step` steps. */
  const isMeasured = (step: number): boolean => step % interval === 0 || step === total
  return {
    total,
    left,
    isMeasured,
    prepare,
    advance,
    refreshIfDue,
    look,
    remember,
    hold,
    restore,
    locate,
    state,
    parameters
  }
})

/** A phase's state in the engine. */
export type PhaseSession<E, R> = Effect.Success<ReturnType<typeof open<E, R>>>

const prefixed = (state: Arrays): Arrays => Record.mapKeys(state, PhaseState.lost)

/** Returns the first array, and turn, with a non-finite number. */
const lostIn = (report: Arrays, sites: ReadonlyMap<string, ReadonlyArray<string>> = new Map()): string | undefined => {
  for (const [name, { data, shape }] of Object.entries(report)) {
    const index = data.findIndex((value) => !Number.isFinite(value))
    if (index < 0) continue
    const turn = Math.floor((index * (shape[0] ?? 1)) / data.length)
    const array = name.replace(PhaseState.lost(""), "")
    const own = sites.get(array)
    return own === undefined ? array.replace("*", String(turn)) : `z/${own[turn] ?? own[0]}`
  }
  return undefined
}
