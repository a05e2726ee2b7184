/**
 * How far a training run is: a bar on a terminal, a plain line now and then where there is none.
 */
import type { Progress, TrainingEvent } from "@rai/core"
import { SingleBar } from "cli-progress"
import { Effect } from "effect"
import * as Report from "./Report.ts"

/** Follows the events of one run. */
export interface ProgressLine {
  readonly follow: (event: TrainingEvent.TrainingEvent) => Effect.Effect<void>
  readonly end: Effect.Effect<void>
}

const secondsBetweenLines = 2

const state = (event: TrainingEvent.Step): string => {
  const { measurement } = event
  if (measurement === undefined) return ""
  const relaxed =
    measurement.relaxedLoss === undefined ? "" : `relaxed loss ${Report.number(measurement.relaxedLoss)}, `
  return `${relaxed}free-run loss ${Report.number(measurement.freeRunLoss)}, accuracy ${Report.percent(measurement.freeRunAccuracy)}`
}

const wentBack = ({ lost, progress }: TrainingEvent.Rewound): string =>
  (lost === undefined
    ? "no better free run for long: back to the best"
    : `numbers were lost at step ${lost.step}, first in ${lost.path}: back to the last good state`) +
  `, on with rate ${Report.number(progress.rate)}`

const plain = (name: string): ProgressLine => {
  let last = Number.NEGATIVE_INFINITY
  return {
    follow: (event) =>
      Effect.suspend(() => {
        if (event._tag === "Rewound") return Report.progress(`${name}${wentBack(event)}`)
        if (event._tag === "Finished" || event.measurement === undefined) return Effect.void
        const { progress, phase } = event
        const due =
          progress.step === 0 || progress.step === event.steps || progress.seconds - last >= secondsBetweenLines
        if (!due) return Effect.void
        last = progress.seconds
        return Report.progress(`${name}${phase.kind} ${progress.step}/${event.steps}: ${state(event)}`)
      }),
    end: Effect.void
  }
}

const bar = (name: string): ProgressLine => {
  const format = `${name}{phase} [{bar}] {value}/{total} steps, {eta} s left  {state}`
  const line = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    etaBuffer: 20,
    barsize: 24
  })
  let [phase, last]: [Progress.Progress["phase"] | undefined, string] = [undefined, ""]
  const start = (event: TrainingEvent.Step) => {
    if (phase !== undefined) line.stop()
    phase = event.progress.phase
    line.start(event.steps, event.progress.step, { phase: event.phase.kind, state: "" })
  }
  return {
    follow: (event) =>
      Effect.sync(() => {
        if (event._tag === "Rewound") {
          line.stop()
          phase = undefined
          process.stderr.write(`${name}${wentBack(event)}\n`)
        }
        if (event._tag !== "Step") return
        if (phase !== event.progress.phase) start(event)
        last = state(event) || last
        line.update(event.progress.step, { phase: event.phase.kind, state: last })
      }),
    end: Effect.sync(() => line.stop())
  }
}

/** The bar or the lines of a run called `name`. */
export const make = (name = ""): ProgressLine => {
  const title = name === "" ? "" : `${name}: `
  return process.stderr.isTTY === true ? bar(title) : plain(title)
}
