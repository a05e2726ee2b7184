import { assert, describe, it } from "@effect/vitest"
import { Circuit, Coordinates, Engine, FreeRun, Initializer, NdArray, Pseudorandom, ReferenceEngine } from "@rai/core"
import { Effect } from "effect"

const outputs = Effect.fnUntraced(function* (circuit: Circuit.Circuit, parameters: Engine.Arrays, x: NdArray.NdArray) {
  const program = yield* FreeRun.program(circuit)
  return (yield* Engine.run(program, { ...parameters, x })).output!.data
})

const x = NdArray.make([5, 2], Pseudorandom.make(1).normals(10))

describe("a sigmoid circuit is the tanh circuit that it is mapped to", () => {
  for (const widths of [
    [2, 3, 1],
    [2, 4, 4, 4, 4, 3],
    [2, 6, 6, 3, 5, 1]
  ]) {
    it.effect(widths.join(), () =>
      Effect.gen(function* () {
        const circuit = Circuit.perceptron(widths, { activation: "sigmoid" })
        const parameters = Initializer.pytorch(circuit, 3)
        const mapped = Coordinates.toTanh(circuit, parameters)
        const plain = yield* outputs(circuit, parameters, x)
        const inTanh = yield* outputs(Coordinates.circuit(circuit), mapped, x)
        const back = yield* outputs(circuit, Coordinates.fromTanh(circuit, mapped), x)
        for (let i = 0; i < plain.length; i++) {
          assert.approximately(inTanh[i]!, plain[i]!, 1e-6)
          assert.approximately(back[i]!, plain[i]!, 1e-6)
        }
      }).pipe(Effect.provide(ReferenceEngine.layer))
    )
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
