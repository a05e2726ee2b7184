import { describe, expect, it } from "@effect/vitest"
import { Circuit, Cost, Cut, Gradient, Print, Program, Simplify } from "@rai/core"
import { Effect } from "effect"
import * as CircuitCases from "./CircuitCases.ts"

const cost = (signature: Program.Signature, formula: Parameters<typeof Program.make>[1], batch = 1) =>
  Effect.map(Program.make(signature, formula), (program) => Cost.cost(program, new Map([["batch", batch]])))

describe("the cost of a program, counted by hand", () => {
  it.effect("matMul: a product and a sum for each of 2 · 4 · 3; 6 + 12 + 8 numbers moved", () =>
    Effect.gen(function* () {
      const found = yield* cost({ a: [2, 3], b: [3, 4] }, ({ a, b }) => ({ y: a!.matMul(b!) }))
      expect(found).toEqual({ flops: 48, bytes: 104 })
    })
  )

  it.effect("matMul of 5 matrices with both transposed: five times as much", () =>
    Effect.gen(function* () {
      const options = { transposeA: true, transposeB: true }
      const found = yield* cost({ a: [5, 3, 2], b: [5, 4, 3] }, ({ a, b }) => ({ y: a!.matMul(b!, options) }))
      expect(found).toEqual({ flops: 240, bytes: 520 })
    })
  )

  it.effect("a linear map of 7 examples: 2 · 7 · 3 · 2 and 7 · 2 additions; a broadcast is free", () =>
    Effect.gen(function* () {
      const found = yield* cost(
        { x: ["batch", 3], w: [3, 2], b: [2] },
        ({ b, w, x }) => ({ y: x!.matMul(w!).add(b!) }),
        7
      )
      expect(found).toEqual({ flops: 84 + 14, bytes: 4 * (21 + 6 + 14) + 4 * (14 + 14 + 14) })
    })
  )

  it.effect("a sum reads every element; a reshape costs nothing", () =>
    Effect.gen(function* () {
      const found = yield* cost({ x: [4, 5] }, ({ x }) => ({ y: x!.total() }))
      expect(found).toEqual({ flops: 20, bytes: 84 })
    })
  )
})

const circuit = Circuit.perceptron([2, 3, 1], { activation: "tanh" })

/** Returns the inputs that a program's output depends on. */
const sources = (program: Program.Program, output: string) =>
  Program.order([program.outputs[output]!]).flatMap((node) =>
    node.primitive.name === "input" ? [`${node.attributes.name}`] : []
  )

describe("a relaxed step as text", () => {
  it.effect("shows that every gradient ends at the next cut", () =>
    Effect.gen(function* () {
      const { inputs, program } = CircuitCases.relaxed("step", {
        circuit,
        cut: Cut.paper,
        inputs: 2,
        outputs: 1,
        batch: 4
      })
      const trained = Object.keys(inputs).filter((name) => name !== "x" && name !== "y")
      const step = yield* Gradient.make({ of: "loss", inputs: trained })(program)
      expect(sources(step, "gradient/0.weight").sort()).toEqual(["0.bias", "0.weight", "x", "z/0"])
      expect(sources(step, "gradient/2.weight").sort()).toEqual(["2.bias", "2.weight", "y", "z/0"])
      expect(Print.print(Simplify.simplify(step))).toMatchInlineSnapshot(`
        "z/0: [4,3]
        %7: [4,3] = tanh z/0
        2.weight: [3,1]
        %8: [4,1] = matMul %7 2.weight
        2.bias: [1]
        %9: [4,1] = broadcast 2.bias to=[4,1]
        %10: [4,1] = add %8 %9
        y: [4,1]
        %11: [4,1] = sub %10 y
        %12: [4,1] = square %11
        %13: [1,1] = sum %12 axes=[0,1]
        %14: [] = reshape %13 to=[]
        %15: [] = 0.25
        %16: [] = mul %14 %15
        x: [4,2]
        0.weight: [2,3]
        %17: [4,3] = matMul x 0.weight
        0.bias: [3]
        %18: [4,3] = broadcast 0.bias to=[4,3]
        %19: [4,3] = add %17 %18
        %20: [4,3] = sub %19 z/0
        %21: [4,3] = square %20
        %22: [1,1] = sum %21 axes=[0,1]
        %23: [] = reshape %22 to=[]
        %24: [] = 0.08333333333333333
        %25: [] = mul %23 %24
        %26: [] = add %16 %25
        %27: [1] = reshape %22 to=[1]
        %28: [1] = broadcast %24 to=[1]
        %29: [1] = mul %27 %28
        %30: [] = 0.16666666666666666
        %31: [4,3] = broadcast %30 to=[4,3]
        %32: [4,3] = mul %20 %31
        %33: [2,3] = matMul x %32 transposeA=true
        %34: [1,3] = sum %32 axes=[0]
        %35: [3] = reshape %34 to=[3]
        %36: [] = 0.5
        %37: [4,1] = broadcast %36 to=[4,1]
        %38: [4,1] = mul %11 %37
        %39: [3,1] = matMul %7 %38 transposeA=true
        %40: [1,1] = sum %38 axes=[0]
        %41: [1] = reshape %40 to=[1]
        %42: [] = -0.16666666666666666
        %43: [4,3] = broadcast %42 to=[4,3]
        %44: [4,3] = mul %20 %43
        %45: [4,3] = matMul %38 2.weight transposeB=true
        %46: [4,3] = tanhGradient %45 %7
        %47: [4,3] = add %44 %46
        → loss = %26
        → output = %10
        → residuals = %29
        → gradient/0.weight = %33
        → gradient/0.bias = %35
        → gradient/2.weight = %39
        → gradient/2.bias = %41
        → gradient/z/0 = %47"
      `)
    })
  )
})
