/**
 * Rewrites sums over examples as sums of partial sums, so that threads can share the examples where stages depend on each other, as in
 * backpropagation.
 */
import { Program, Rewrite, Simplify, type Tensor } from "@rai/core"
import * as Known from "./Known.ts"
import * as Rows from "./Rows.ts"

/** Splits the sums: ∂L/∂W = Σ over shares of aᵀ δ of the share's rows; outputs keep their values up to rounding. */
export const divide = (program: Program.Program, threads: number): Program.Program => {
  const part = Rows.parts(() => threads)
  const replaced = new Map<Tensor.Tensor, Tensor.Tensor>()
  /** Terms of which a tensor is the sum. */
  const terms = new Map<Tensor.Tensor, ReadonlyArray<Tensor.Tensor>>()
  const whole = (node: Tensor.Tensor): Tensor.Tensor => {
    const made = replaced.get(node) ?? terms.get(node)!.reduce((a, b) => a.add(b))
    replaced.set(node, made)
    return made
  }
  /** Splits the rows of a matrix into one stretch per share. */
  const stretches = (table: Tensor.Tensor): ReadonlyArray<Tensor.Tensor> => {
    const seams = Rows.seams(Known.rowsOf(table), threads)
    return seams.slice(1).map((to, i) => part(table, seams[i]!, to))
  }
  for (const node of program.nodes) {
    const { operands } = node
    const own = operands.map((operand) => terms.get(operand))
    const sums =
      isSum(node) && Known.rowsOf(operands[0]!) >= 2 * threads
        ? operands.map((operand) => stretches(whole(operand)))
        : isLinear(node) && operands.length > 0 && own.every((of) => of !== undefined)
          ? own.map((of) => of!)
          : undefined
    if (sums === undefined) {
      const made = Rewrite.rebuild(node, operands.map(whole))
      replaced.set(node, made)
      // Operands before results: a circuit of a thousand stages is deeper than the call stack.
      part(made, 0, Known.rowsOf(made))
      if (made.shape.length === 2 && Known.rowsOf(made) >= 2 * threads) stretches(made)
      continue
    }
    terms.set(
      node,
      sums[0]!.map((_, i) =>
        Rewrite.rebuild(
          node,
          sums.map((of) => of[i]!)
        )
      )
    )
  }
  const outputs = Object.fromEntries(Object.entries(program.outputs).map(([name, node]) => [name, whole(node)]))
  return Simplify.simplify(Program.fromTensors(program.inputs, outputs))
}

/** Whether a node sums over the leading axis: a product of matrices aᵀ b, or a sum over axis 0, alone or with others. */
const isSum = ({ attributes, primitive, shape }: Tensor.Tensor): boolean =>
  primitive.name === "matMul"
    ? shape.length === 2 && attributes.transposeA === true && attributes.transposeB === false
    : primitive.name === "sum" && (attributes.axes as ReadonlyArray<number>).includes(0)

/** Whether the operation on a sum is the sum of the operation on its terms. */
const isLinear = ({ primitive }: Tensor.Tensor): boolean => ["reshape", "concat", "neg"].includes(primitive.name)
