import { assert, describe, it } from "@effect/vitest"
import { Circuit, Coordinates, Engine, FreeRun, Initializer, NdArray, Pseudorandom, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"

const outputs = Effect.fnUntraced(function* (circuit: Circuit.Circuit, parameters: Engine.Arrays, x: NdArray.NdArray) {
  const program = yield* FreeRun.program(circuit)
  return (yield* Engine.run(program, { ...parameters, x })).output!.data
})

const x = NdArray.make([5, 2], Pseudorandom.make(1).normals(10))

/** Checks that outputs stay the same in tanh coordinates and after the way back. */
const mapped = (circuit: Circuit.Circuit) =>
  Effect.gen(function* () {
    assert.isTrue(Coordinates.available(circuit))
    const parameters = Initializer.pytorch(circuit, 3)
    const toTanh = Coordinates.toTanh(circuit, parameters)
    const plain = yield* outputs(circuit, parameters, x)
    const inTanh = yield* outputs(Coordinates.circuit(circuit), toTanh, x)
    const back = yield* outputs(circuit, Coordinates.fromTanh(circuit, toTanh), x)
    for (let i = 0; i < plain.length; i++) {
      assert.approximately(inTanh[i]!, plain[i]!, 1e-6)
      assert.approximately(back[i]!, plain[i]!, 1e-6)
    }
  }).pipe(Effect.provide(ReferenceEngine.layer))

const { linear, relu, repeat, residual, sequence, sigmoid } = Circuit

/** Circuits with residual blocks that can change coordinates: either all readers of a residual stream are sigmoids, or none are. */
const around: Readonly<Record<string, Circuit.Circuit>> = {
  "residual blocks read by sigmoids alone": Circuit.perceptron([2, 4, 4, 4, 4, 3], {
    activation: "sigmoid",
    residual: true
  }),
  "one of them": Circuit.perceptron([2, 4, 4, 1], { activation: "sigmoid", residual: true }),
  "a sigmoid between two maps within a residual block": sequence(
    linear(2, 3),
    repeat(residual(sequence(linear(3, 4), sigmoid, linear(4, 3))), 3),
    linear(3, 1)
  ),
  "a residual block around a residual block": sequence(
    linear(2, 3),
    residual(sequence(residual(sequence(sigmoid, linear(3, 3))), sigmoid, linear(3, 3))),
    sigmoid,
    linear(3, 1)
  )
}

describe("a sigmoid circuit with residual blocks too", () => {
  for (const [name, circuit] of Object.entries(around)) it.effect(name, () => mapped(circuit))

  it("but not where something else reads or writes what goes around", () => {
    const within = (...blocks: ReadonlyArray<Circuit.Circuit>) => sequence(linear(2, 3), ...blocks, linear(3, 1))
    const block = residual(sequence(sigmoid, linear(3, 3)))
    assert.isTrue(Coordinates.available(within(block, sigmoid)))
    // The last map reads the stream, which is in two units then.
    assert.isFalse(Coordinates.available(within(block)))
    assert.isFalse(Coordinates.available(within(block, relu)))
    assert.isFalse(Coordinates.available(within(block, residual(linear(3, 3)), sigmoid)))
    assert.isFalse(Coordinates.available(within(sigmoid, residual(linear(3, 3)))))
    assert.isFalse(Coordinates.available(within(residual(sequence(linear(3, 3), sigmoid)))))
    assert.isFalse(Coordinates.available(within(residual(sigmoid))))
    assert.isFalse(Coordinates.available(sequence(block, sigmoid, linear(3, 1))))
  })
})

describe("a sigmoid circuit is the tanh circuit that it is mapped to", () => {
  for (const widths of [
    [2, 3, 1],
    [2, 4, 4, 4, 4, 3],
    [2, 6, 6, 3, 5, 1]
  ]) {
    it.effect(widths.join(), () => mapped(Circuit.perceptron(widths, { activation: "sigmoid" })))
  }

  it("is not offered where a sigmoid has no linear map on both sides", () => {
    assert.isTrue(Coordinates.available(Circuit.perceptron([2, 3, 3, 3, 1], { activation: "sigmoid" })))
    assert.isFalse(Coordinates.available(Circuit.perceptron([2, 3, 1], { activation: "tanh" })))
    assert.isFalse(Coordinates.available(Circuit.sequence(Circuit.linear(2, 1), Circuit.sigmoid)))
    assert.isFalse(
      Coordinates.available(Circuit.sequence(Circuit.linear(2, 2), Circuit.sigmoid, Circuit.relu, Circuit.linear(2, 1)))
    )
  })
})
