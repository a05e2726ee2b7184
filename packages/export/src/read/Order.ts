/**
 * A graph's nodes in the order in which they can be computed.
 */
import { Effect } from "effect"
import * as Naming from "../Naming.ts"
import type { GraphProto, NodeProto } from "../onnx_pb.ts"
import { ModelInvalid } from "./ModelInvalid.ts"

/** Values that exist before any node, by name, and the outputs asked for. */
interface Leaves {
  readonly file: string
  readonly inputs: Readonly<Record<string, unknown>>
  readonly given?: Readonly<Record<string, unknown>>
  readonly outputs: ReadonlyArray<string>
}

/**
 * Returns the nodes that the outputs need, each after those that it needs, with unused results cleared and a unique name for each node; fails with
 * `ModelInvalid` on a cycle, or where a value has no origin or two.
 */
export const make = Effect.fnUntraced(function* (
  graph: GraphProto,
  { file, given = {}, inputs, outputs }: Leaves
): Effect.fn.Return<ReadonlyArray<NodeProto>, ModelInvalid> {
  const leaves = new Set([...Object.keys(inputs), ...Object.keys(given), ...graph.initializer.map(({ name }) => name)])
  const makers = new Map<string, NodeProto>()
  for (const node of graph.node) {
    for (const output of node.output) {
      if (output === "") continue
      if (makers.has(output) || leaves.has(output)) {
        return yield* new ModelInvalid({ file, expected: "each value to have one origin", came: `«${output}» has two` })
      }
      makers.set(output, node)
    }
  }
  const state = new Map<NodeProto, "open" | "done">()
  const sorted: Array<NodeProto> = []
  const pending: Array<{ readonly node: NodeProto; next: number }> = []
  const missing: Array<string> = []
  const visit = (name: string): NodeProto | undefined => {
    if (name === "" || leaves.has(name)) return undefined
    const node = makers.get(name)
    if (node === undefined) missing.push(name)
    else if (state.get(node) === "open") return node
    else if (state.get(node) === undefined) {
      state.set(node, "open")
      pending.push({ node, next: 0 })
    }
    return undefined
  }
  for (const output of outputs) {
    visit(output)
    while (pending.length > 0) {
      const top = pending[pending.length - 1]!
      if (top.next < top.node.input.length) {
        const round = visit(top.node.input[top.next++]!)
        if (round === undefined) continue
        const came = `${round.opType} «${round.name}» needs its own result`
        return yield* new ModelInvalid({ file, expected: "a graph without cycles", came })
      }
      state.set(top.node, "done")
      sorted.push(top.node)
      pending.pop()
    }
  }
  if (missing.length > 0) {
    const came = `${[...new Set(missing)]
      .slice(0, 5)
      .map((name) => `«${name}»`)
      .join(", ")} come from nowhere`
    const expected = "every value to be an input, an initialiser or a node's result"
    return yield* new ModelInvalid({ file, expected, came })
  }
  const needed = new Set([...outputs, ...sorted.flatMap(({ input }) => input)])
  for (const node of sorted) node.output = node.output.map((name) => (needed.has(name) ? name : ""))
  return named(sorted)
})

const named = (nodes: ReadonlyArray<NodeProto>): ReadonlyArray<NodeProto> => {
  const unique = Naming.make()
  for (const node of nodes) node.name = unique(node.name === "" ? node.opType : node.name)
  return nodes
}
