/**
 * A program ready to run on TensorFlow.js: its kernel calls, with registers for nodes, and after each call the tensors to free.
 */
import type * as tf from "@tensorflow/tfjs-core"
import { batch } from "../../program/Batch.ts"
import type { Program } from "../../program/Program.ts"
import * as Rewrite from "../../program/Rewrite.ts"
import { simplify } from "../../program/Simplify.ts"
import type { Tensor } from "../../tensor/Tensor.ts"
import type { Call } from "./Kernels.ts"
import { type Kernels, type Lowered, lower } from "./Lowering.ts"

interface Instruction {
  readonly operands: ReadonlyArray<number>
  readonly results: ReadonlyArray<number>
  readonly run: Lowered["run"]
  /** Registers that are not needed after this instruction. */
  readonly release: ReadonlyArray<number>
}

/** Runs on the given tensors, which the caller keeps; the outputs belong to the caller too. */
export type Compiled = (inputs: Readonly<Record<string, tf.Tensor>>) => Record<string, tf.Tensor>

/** Compiles a program for given lengths of its named dimensions. */
export const compile = (
  source: Program,
  lengths: ReadonlyMap<string, number>,
  backend: Kernels,
  call: Call,
  scalar: (value: number) => tf.Tensor
): Compiled => {
  const program = batch(simplify(Rewrite.expand(source, (composite) => composite in backend.kernels)))
  const calls = lower(program, lengths, backend, call, scalar)
  const outputs = Object.entries(program.outputs)
  const registers = new Map<Tensor, number>()
  const register = (node: Tensor): number => {
    const known = registers.get(node) ?? registers.size
    registers.set(node, known)
    return known
  }
  const released = lastUses(calls, new Set(Object.values(program.outputs)))
  const instructions = calls.map(
    ({ operands, results, run }, i): Instruction => ({
      operands: operands.map(register),
      results: results.map(register),
      run,
      release: (released[i] ?? []).map(register)
    })
  )
  const inputs = [...registers.keys(), ...Object.values(program.outputs)].filter(
    ({ primitive }) => primitive.name === "input"
  )
  const results = outputs.map(([name, node]) => ({ name, node, register: register(node) }))
  return (given) => {
    const file: Array<tf.Tensor> = new Array(registers.size)
    for (const node of inputs) file[register(node)] = given[node.attributes.name as string]!
    for (const { operands, release, results, run } of instructions) {
      const dispose = () => {
        for (const dead of release) file[dead]?.dispose()
      }
      const values = run(
        operands.map((operand) => file[operand]!),
        dispose
      )
      results.forEach((result, i) => {
        file[result] = values[i]!
      })
      dispose()
    }
    const taken = new Set<tf.Tensor>()
    return Object.fromEntries(
      results.map(({ name, node, register }) => {
        const tensor = file[register]!
        const mine = node.primitive.name === "input" || taken.has(tensor) ? tensor.clone() : tensor
        taken.add(mine)
        return [name, mine]
      })
    )
  }
}

/** For each call the values that it is the last to use or that nothing uses; inputs and outputs are kept. */
const lastUses = (
  calls: ReadonlyArray<Lowered>,
  outputs: ReadonlySet<Tensor>
): ReadonlyArray<ReadonlyArray<Tensor>> => {
  const last = new Map<Tensor, number>()
  calls.forEach(({ operands, results }, i) => {
    for (const node of [...results, ...operands]) last.set(node, i)
  })
  const uses: Array<Array<Tensor>> = calls.map(() => [])
  for (const [node, i] of last) {
    if (node.primitive.name !== "input" && !outputs.has(node)) uses[i]!.push(node)
  }
  return uses
}
