/**
 * Elementwise work on parts that are concatenated for a pass is deferred to that pass: concatenating f(a) and f(b) gives f of the concatenation of
 * a and b. What relaxed stages pass back, δ Wᵀ ∘ σ′, is concatenated with what the output passes back; the graph then ends with the products.
 */
import { type Program, Rewrite, Simplify, Tensor } from "@rai/core"
import * as Kernel from "./Kernel.ts"
import * as Partition from "./Partition.ts"
import * as Views from "./Views.ts"

/** Rewrites a program so that its passes do more of it. */
export const make = (program: Program.Program): Program.Program => {
  const passes = new Set(Partition.make(program).kernels.flatMap(({ nodes }) => nodes))
  const outputs = new Set(Object.values(program.outputs))
  const others = new Set(program.nodes.flatMap((node) => (passes.has(node) ? [] : node.operands)))
  const isDeferring = (node: Tensor.Tensor): boolean => Views.isJoined(node) && !outputs.has(node) && !others.has(node)
  if (!program.nodes.some(isDeferring)) return program
  return Simplify.simplify(
    Rewrite.rewrite(program, (node, operands) => {
      const deferred = isDeferring(node) ? joining(node)(operands) : undefined
      return deferred ?? Rewrite.rebuild(node, operands)
    })
  )
}

type Joining = (parts: ReadonlyArray<Tensor.Tensor>) => Tensor.Tensor | undefined

/**
 * Returns a function that concatenates parts as `node` does; it returns undefined where that would copy inputs. A part that is used twice is
 * visited once.
 */
const joining = (node: Tensor.Tensor): Joining => {
  const numbers = new Map<Tensor.Tensor, number>()
  const numberOf = (part: Tensor.Tensor): number => {
    const number = numbers.get(part) ?? numbers.size
    numbers.set(part, number)
    return number
  }
  const once = <A>(compute: (...nodes: ReadonlyArray<Tensor.Tensor>) => A) => {
    const known = new Map<string, A>()
    return (...nodes: ReadonlyArray<Tensor.Tensor>): A => {
      const key = nodes.map(numberOf).join()
      if (!known.has(key)) known.set(key, compute(...nodes))
      return known.get(key)!
    }
  }
  const viewed = once((operand, view): Tensor.Tensor => {
    const number = Simplify.filledWith(operand!)
    return number === undefined ? Rewrite.rebuild(view!, [operand!]) : Tensor.constant(number).broadcastTo(view!.shape)
  })
  const elementwise: (node: Tensor.Tensor) => Elementwise | undefined = once((node) => {
    const own = node!
    if (Views.isView(own)) {
      const within = elementwise(own.operands[0]!)
      return within && { ...within, operands: within.operands.map((operand) => viewed(operand, own)) }
    }
    const isPass = Kernel.knows(own) && own.dtype === "float" && own.operands.every(({ dtype }) => dtype === "float")
    if (!isPass) return undefined
    return { node: own, operation: `${own.primitive.name} ${Simplify.written(own)}`, operands: own.operands }
  })
  const joined: (...parts: ReadonlyArray<Tensor.Tensor>) => Tensor.Tensor | undefined = once((...parts) => {
    const number = alike(parts.map(Simplify.filledWith))
    if (number !== undefined) return Tensor.constant(number).broadcastTo(node.shape)
    const each = parts.map(elementwise)
    const [first] = each
    if (first === undefined || alike(each.map((of) => of?.operation)) === undefined) {
      return parts.some((part) => Views.isInput(Views.of(part).base)) ? undefined : Rewrite.rebuild(node, parts)
    }
    const operands: Array<Tensor.Tensor> = []
    for (const i of first.operands.keys()) {
      const operand = joined(...each.map((of) => of!.operands[i]!))
      if (operand === undefined) return undefined
      operands.push(operand)
    }
    return new Tensor.Tensor(first.node.primitive, operands, first.node.attributes)
  })
  return (parts) => joined(...parts)
}

const alike = <A>(values: ReadonlyArray<A>): A | undefined =>
  values.every((value) => Object.is(value, values[0])) ? values[0] : undefined

/** A node as an elementwise operation that a pass can compute; a slice or reshape of such a node is one too. */
interface Elementwise {
  readonly node: Tensor.Tensor
  /** The operation as text, for comparison. */
  readonly operation: string
  readonly operands: ReadonlyArray<Tensor.Tensor>
}
