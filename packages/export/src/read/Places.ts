/**
 * The places of an imported network: its nodes, as plans may cut them.
 */
import type { Circuit, Program, Tensor } from "@rai/core"
import type { NodeProto } from "../onnx_pb.ts"
import type * as Network from "./Network.ts"
import * as Operators from "./Operators.ts"

/** A place for each node whose result has one row per example; two nodes of one tensor share a place. */
export const of = (
  nodes: ReadonlyArray<Network.Read>,
  replaced: ReadonlyMap<Tensor.Tensor, Tensor.Tensor>,
  whole: Program.Program
): ReadonlyArray<Circuit.Place> => {
  const isUsed = new Set(whole.nodes)
  const examples = whole.outputs.output!.shape[0]
  const seen = new Set<Tensor.Tensor>()
  const makers = new Map(nodes.flatMap((read) => read.node.output.map((name) => [name, read.node] as const)))
  const readers = Map.groupBy(
    nodes.flatMap(({ node }) => node.input.map((name) => ({ name, node }))),
    ({ name }) => name
  )
  const own = nodes.flatMap(({ node, result }): ReadonlyArray<Circuit.Place> => {
    const tensor = replaced.get(result)!
    if (!isUsed.has(tensor) || seen.has(tensor) || tensor.shape[0] !== examples || tensor.dtype !== "float") return []
    seen.add(tensor)
    return [{ name: node.name, kind: node.opType, role: roleOf(node, makers, readers), result: tensor }]
  })
  // In program order, so that each comes after what it is computed from.
  const order = new Map(whole.nodes.map((tensor, i) => [tensor, i]))
  return own.toSorted((a, b) => order.get(a.result)! - order.get(b.result)!)
}

/** Role of a node's place; where a `MatMul` is followed by the sum with its bias, the sum is the map for both. */
const roleOf = (
  node: NodeProto,
  makers: ReadonlyMap<string, NodeProto>,
  readers: ReadonlyMap<string, ReadonlyArray<{ readonly node: NodeProto }>>
): Circuit.Place["role"] => {
  // The linear models of ai.onnx.ml have their parameters in attributes.
  const isMap = (of: NodeProto) =>
    Operators.roleOf(of) === "map" &&
    (of.domain === "ai.onnx.ml" || of.input.slice(0, 2).some((name) => !makers.has(name)))
  const product = (of: NodeProto) => {
    const made = of.input.map((name) => makers.get(name))
    const from = made.find((maker) => maker !== undefined && isMap(maker) && maker.opType === "MatMul")
    return of.opType === "Add" && made.includes(undefined) ? from : undefined
  }
  if (Operators.roleOf(node) === "activation") return "activation"
  if (product(node) !== undefined) return "map"
  if (!isMap(node)) return "other"
  const behind = readers.get(node.output[0]!) ?? []
  return behind.length === 1 && product(behind[0]!.node) === node ? "other" : "map"
}
