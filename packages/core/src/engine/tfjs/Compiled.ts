/**
 * A program made ready to run on TensorFlow.js: an instruction a node, and after each the tensors that it used last.
 */
import type * as tf from "@tensorflow/tfjs-core"
import type { Program } from "../../program/Program.ts"
import * as Rewrite from "../../program/Rewrite.ts"
import { filledWith, simplify } from "../../program/Simplify.ts"
import * as Shape from "../../tensor/Shape.ts"
import type { Tensor } from "../../tensor/Tensor.ts"
import type { Call, Kernel } from "./Kernels.ts"

/** What a backend computes with. */
export interface Kernels {
  /** A kernel for each primitive, and for composites that the backend has in one pass. */
  readonly kernels: Readonly<Record<string, Kernel>>
  /** The primitives whose kernels broadcast by themselves, so that a broadcast operand need not be written out. */
  readonly broadcasting: ReadonlySet<string>
}

interface Instruction {
  readonly result: number
  readonly operands: ReadonlyArray<number>
  readonly kernel: (operands: ReadonlyArray<tf.Tensor>) => tf.Tensor
  /** Registers that nothing needs after this instruction. */
  readonly release: ReadonlyArray<number>
}

export interface Compiled {
  /** Runs on the given tensors, which stay the caller's; the outputs become the caller's. */
  readonly run: (inputs: Readonly<Record<string, tf.Tensor>>) => Record<string, tf.Tensor>
}

/** The operands that the kernel is given: narrow ones as they are where it broadcasts by itself and another has the whole shape. */
const operandsOf = (node: Tensor, broadcasting: ReadonlySet<string>): ReadonlyArray<Tensor> => {
  if (!broadcasting.has(node.primitive.name)) return node.operands
  const narrow = node.operands.map((operand) =>
    operand.primitive.name === "broadcast" ? operand.operands[0]! : operand
  )
  const whole = narrow.findIndex((operand) => Shape.equals(operand.shape, node.shape))
  if (whole < 0) return node.operands
  return narrow.map((operand) => (operand.shape.length <= node.shape.length ? operand : node))
}

/** The instructions of a program once its named dimensions have lengths. */
export const compile = (
  source: Program,
  lengths: ReadonlyMap<string, number>,
  call: Call,
  scalar: (value: number) => tf.Tensor,
  { broadcasting, kernels }: Kernels
): Compiled => {
  const program = simplify(Rewrite.expand(source, (composite) => composite in kernels))
  const outputs = Object.entries(program.outputs)
  const needed = liveNodes(program, broadcasting)
  const registers = new Map(needed.map((node, register) => [node, register] as const))
  const register = (node: Tensor): number => registers.get(node)!
  const kept = new Set(outputs.map(([, node]) => node))
  const lastUse = new Map<Tensor, Tensor>()
  for (const node of needed) for (const operand of operandsOf(node, broadcasting)) lastUse.set(operand, node)
  const released = new Map<Tensor, Array<number>>()
  for (const [operand, user] of lastUse) {
    if (kept.has(operand) || operand.primitive.name === "input") continue
    const together = released.get(user)
    if (together === undefined) released.set(user, [register(operand)])
    else together.push(register(operand))
  }
  const instructions = needed
    .filter((node) => node.primitive.name !== "input")
    .map((node): Instruction => {
      const shape = Shape.resolve(node.shape, lengths)
      return {
        result: register(node),
        operands: operandsOf(node, broadcasting).map(register),
        kernel: kernelOf(node, shape, call, scalar, kernels),
        release: released.get(node) ?? []
      }
    })
  const inputs = needed.filter((node) => node.primitive.name === "input")
  return {
    run: (given) => {
      const file: Array<tf.Tensor> = new Array(needed.length)
      for (const node of inputs) file[register(node)] = given[node.attributes.name as string]!
      for (const { kernel, operands, release, result } of instructions) {
        file[result] = kernel(operands.map((operand) => file[operand]!))
        for (const dead of release) file[dead]!.dispose()
      }
      const taken = new Set<tf.Tensor>()
      return Object.fromEntries(
        outputs.map(([name, node]) => {
          const tensor = file[register(node)]!
          const mine = node.primitive.name === "input" || taken.has(tensor) ? tensor.clone() : tensor
          taken.add(mine)
          return [name, mine]
        })
      )
    }
  }
}

const liveNodes = (program: Program, broadcasting: ReadonlySet<string>): ReadonlyArray<Tensor> => {
  const live = new Set<Tensor>(Object.values(program.outputs))
  for (const node of program.nodes.toReversed()) {
    if (live.has(node)) for (const operand of operandsOf(node, broadcasting)) live.add(operand)
  }
  return program.nodes.filter((node) => live.has(node))
}

const kernelOf = (
  node: Tensor,
  shape: ReadonlyArray<number>,
  call: Call,
  scalar: (value: number) => tf.Tensor,
  kernels: Kernels["kernels"]
): Instruction["kernel"] => {
  const { attributes, primitive } = node
  const value = filledWith(node)
  if (value !== undefined) {
    return shape.length === 0 ? () => scalar(value) : () => call("Fill", {}, { shape, value, dtype: "float32" })
  }
  const kernel = kernels[primitive.name]!
  return (operands) => kernel(call, operands, shape, attributes)
}
