import { Circuit, Phase, Cut, Cost, Programs, Rewrite, Simplify, Print } from "./src/index.ts"
import { Effect } from "effect"
const circuit = Circuit.perceptron([2, ...Array(100).fill(100), 1], { activation: "sigmoid" })
const p = Effect.runSync(Programs.make({ circuit, task: "binary", x: [100,2], y: [100,1] }, Phase.relax({ steps: 10 })))
const s = Simplify.simplify(Rewrite.expand(p.step, (c) => c.endsWith("Gradient")))
console.log(Print.print(s)); console.log(Cost.cost(s), Cost.cost(p.step))
