/**
 * A phase's state where the engine holds it, and what is done to it there: steps, measurements, what is held to go back to.
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

/** What a phase is carried out on. */
export interface Work<E, R> {
  readonly subject: PhaseState.Subject
  readonly data: Dataset
  readonly validation: Dataset | undefined
  /** Where batches come from, if not from the data. */
  readonly parts?: Parts<E, R> | undefined
  readonly phase: Phase.Phase
  /** What targets are trained in, if not as they are; the stop and measured losses are in their own unit all the same. */
  readonly unit: TargetUnit.TargetUnit | undefined
  /** Decides the order of batches, and what is drawn. */
  readonly seed: number
}

/**
 * The phase of that number in its plan, opened at parameters or at the whole state of a snapshot; the scope holds the session. What is called
 * `factor` is what a careful phase has left of its rates.
 */
export const open = Effect.fnUntraced(function* <E, R>(
  { data, parts, phase, seed, subject, unit, validation }: Work<E, R>,
  number: number,
  from: { readonly parameters: Arrays } | { readonly state: Arrays }
) {
  const engine = yield* Engine
  const { circuit } = subject
  // Phases before this one have had orders and noise of their own.
  const labelled = (label: number) => number * 1_000_000_000 + label
  const source =
    phase.batch === undefined
      ? undefined
      : parts === undefined
        ? BatchSource.memory(data, phase.batch, seed, labelled(0))
        : yield* BatchSource.parts(parts, phase.batch, seed, labelled(0))
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
    ...kept.take("state" in from ? from.state : from.parameters)
  })
  const write = (state: Arrays) => Effect.suspend(() => session.write(kept.take(state)))

  /** What changes from step to step: rates, λ, what is drawn. */
  const changing = (step: number, factor: number): Arrays => ({
    ...Rates.values(phase, factor, step / total),
    ...Drawn.values(layout, phase, seed, labelled(step))
  })
  /** So many steps from `step` on. */
  const advance = Effect.fnUntraced(function* (step: number, count: number, factor: number) {
    const steps = Array.from({ length: count }, (_, i) => step + i)
    if (source === undefined) {
      return void (yield* session.advance(programs.step, ...steps.map((one) => changing(one, factor))))
    }
    for (const one of steps) {
      const { indices, x, y } = yield* source.at(one)
      const given = { ...changing(one, factor), ...kept.rows(indices), x, y: targets(y) }
      kept.scatter(indices, yield* session.advance(programs.step, given))
    }
  })
  const refresh = Effect.suspend(() => Effect.flatMap(session.advance(programs.refresh!), write))
  /** Auxiliaries at the free run's predictions again, if as many steps are done as that takes. */
  const refreshIfDue = (done: number) => (refreshed !== undefined && done % refreshed === 0 ? refresh : Effect.void)
  const look = Effect.suspend(() => {
    const own = Record.filter(kept.own(), (_, name) => PhaseState.isOfExamples(name))
    return Effect.map(session.advance(programs.measure, own), (report) =>
      Measurement.fromReport(circuit, subject.x[0]!, subject.validation ?? 1, report)
    )
  })

  /** What the rules remember, as at first. */
  const remember = (factor: number) =>
    Effect.forEach(layout.slots(factor), (slots) => write(slots()), { discard: true })
  /** Room for what is held, so that the engine copies it there; brought here and back, it would take as much memory again. */
  const room = Effect.suspend(() =>
    session.write(
      Record.mapEntries(programs.hold.inputs, ({ shape }, name) => [
        PhaseState.good(name),
        NdArray.full(shape as ReadonlyArray<number>, 0)
      ])
    )
  )
  let hasRoom = "state" in from && Object.keys(programs.restore.inputs).every((name) => name in from.state)
  /** This state is the one to go back to. */
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
  /** Where numbers were lost between the step that is held and another: its steps are taken again, and looked at one by one. */
  const locate = Effect.fnUntraced(function* (since: number, to: number, factor: number) {
    yield* restore
    for (let step = since; step < to; step++) {
      yield* advance(step, 1, factor)
      yield* refreshIfDue(step + 1)
      const path = lostIn(yield* session.advance(programs.check), cuts) ?? lostIn(prefixed(kept.own()), cuts)
      if (path !== undefined) return { step: step + 1, path }
    }
    return { step: to, path: "the loss" }
  })
  /** Everything that a snapshot keeps; undefined where not all of it is finite. */
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
  /** How many steps there are after `step` until the state is looked at or refreshed, or the phase is over. */
  const left = (step: number): number =>
    Math.min(interval - (step % interval), (refreshed ?? interval) - (step % (refreshed ?? interval)), total - step)
  /** Whether the state is looked at after so many steps. */
  const isMeasured = (step: number): boolean => step % interval === 0 || step === total
  return { total, left, isMeasured, advance, refreshIfDue, look, remember, hold, restore, locate, state, parameters }
})

const prefixed = (state: Arrays): Arrays => Record.mapKeys(state, (name) => `lost/${name}`)

/** The first array, and turn, that holds a number that is not finite. */
const lostIn = (report: Arrays, sites: ReadonlyMap<string, ReadonlyArray<string>> = new Map()): string | undefined => {
  for (const [name, { data, shape }] of Object.entries(report)) {
    const index = data.findIndex((value) => !Number.isFinite(value))
    if (index < 0) continue
    const turn = Math.floor((index * (shape[0] ?? 1)) / data.length)
    const array = name.replace("lost/", "")
    const own = sites.get(array)
    return own === undefined ? array.replace("*", String(turn)) : `z/${own[turn] ?? own[0]}`
  }
  return undefined
}
