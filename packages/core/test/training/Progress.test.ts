import { assert, describe, it } from "@effect/vitest"
import { type Measurement, Phase, Progress } from "@rai/core"

const measured = (freeRunLoss: number, freeRunAccuracy = 0.5): Measurement.Measurement => ({
  freeRunLoss,
  freeRunAccuracy,
  residuals: [],
  gradientNorms: []
})

const careful = Phase.backpropagate({ steps: 100, interval: 5, careful: { patience: 10, divisor: 3, attempts: 2 } })

describe("what a measurement decides", () => {
  it("solved needs the loss and the accuracy", () => {
    const decide = (loss: number, accuracy: number) =>
      Progress.decide(Progress.start(), Phase.relax({ steps: 10 }), measured(loss, accuracy), {
        loss: 0.1,
        accuracy: 1
      }).decision
    assert.strictEqual(decide(0.05, 1), "solved")
    assert.strictEqual(decide(0.05, 0.99), "hold")
    assert.strictEqual(decide(0.2, 1), "hold")
    assert.strictEqual(decide(Number.NaN, 1), "lost")
  })

  it("an infinite relaxed loss is no number either, and is not noted", () => {
    const infinite: Measurement.Measurement = {
      freeRunLoss: 0.7,
      relaxedLoss: Number.POSITIVE_INFINITY,
      relaxationGap: Number.NEGATIVE_INFINITY,
      residuals: [],
      gradientNorms: []
    }
    const decided = Progress.decide(Progress.start(), Phase.relax({ steps: 10 }), infinite, undefined)
    assert.strictEqual(decided.decision, "lost")
    assert.isUndefined(decided.progress.relaxedLoss)
  })

  it("a careful phase holds the best, goes back when its patience ends, and gives up at the last attempt", () => {
    let progress = { ...Progress.start(), rate: 0.9 }
    const see = (step: number, loss: number) => {
      const decided = Progress.decide({ ...progress, step }, careful, measured(loss), undefined)
      progress = decided.progress
      return decided.decision
    }
    assert.strictEqual(see(0, 1), "hold")
    assert.strictEqual(see(5, 0.5), "hold")
    assert.strictEqual(see(10, 0.6), "continue")
    assert.strictEqual(see(15, 0.6), "rewind")
    assert.approximately(progress.rate, 0.3, 1e-12)
    assert.strictEqual(see(20, Number.NaN), "give up")
    assert.strictEqual(progress.best, 0.5)
  })

  it("shares of variance decide where they are measured, beginning anew after what was judged by the loss", () => {
    const sized = (loss: number, share: number) => ({ ...measured(loss), freeRunShare: share })
    const stop = { loss: 0.1, share: 0.1 }
    let progress: Progress.Progress = { ...Progress.start(), step: 5, best: 0.4, held: 0, rate: 0.9 }
    const see = (loss: number, share: number) => {
      const decided = Progress.decide(progress, careful, sized(loss, share), stop)
      progress = { ...decided.progress, step: progress.step + 5 }
      return decided.decision
    }
    assert.strictEqual(see(0.5, 0.8), "hold")
    assert.strictEqual(see(0.05, 0.9), "continue")
    assert.strictEqual(see(0.6, 0.7), "hold")
    assert.deepStrictEqual([progress.best, progress.bestShare], [0.6, 0.7])
    assert.strictEqual(see(0.6, 0.05), "solved")
    assert.strictEqual(see(0.6, Number.NaN), "rewind")
    // A loss that is asked for is the one that is reported.
    assert.strictEqual(Progress.decide(progress, careful, sized(0.05, 0.9), { loss: 0.1 }).decision, "solved")
  })

  it("a careful phase that begins with NaN has nothing to go back to", () => {
    assert.strictEqual(Progress.decide(Progress.start(), careful, measured(Number.NaN), undefined).decision, "lost")
  })
})
