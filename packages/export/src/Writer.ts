/**
 * A graph that is being written: nodes under unique names, and constants, each once.
 */
import { create } from "@bufbuild/protobuf"
import type { NdArray } from "@rai/core"
import * as Model from "./Model.ts"
import * as Naming from "./Naming.ts"
import type { Operation } from "./Operators.ts"
import { type GraphProto, GraphProtoSchema, type NodeProto, type TensorProto, type ValueInfoProto } from "./onnx_pb.ts"

/** A graph that is being written. */
export class Writer {
  /** Makes a name that no other value has from one that is wanted. */
  readonly unique = Naming.make()
  private readonly nodes: Array<NodeProto> = []
  private readonly initializers: Array<TensorProto> = []
  private readonly nodeNames = new Set<string>()
  private readonly shared = new Map<string, string>()

  /** Adds a node that computes `output`, and returns that name; `says` is a note for whoever reads the graph. */
  node({ attributes, inputs, operator }: Operation, output: string, name = output, says = ""): string {
    // An output may have the name of the node that computes it: that node keeps it, and the one that only passes the output on gets another.
    const own = this.nodeNames.has(name) ? this.unique(name) : name
    this.nodeNames.add(own)
    this.nodes.push(Model.node(operator, own, inputs, output, attributes, says))
    return output
  }

  /** Adds an array to the graph under a name of its own. */
  array(name: string, array: NdArray.NdArray): string {
    this.initializers.push(Model.floats(name, array))
    return name
  }

  /** Returns the value of a key, which is written when it is first asked for; its name is the key where that is free. */
  once(key: string, write: (name: string) => unknown): string {
    const name = this.shared.get(key) ?? this.unique(key)
    if (!this.shared.has(key)) write(name)
    this.shared.set(key, name)
    return name
  }

  integers(numbers: ReadonlyArray<number>): string {
    return this.once(`[${numbers.join(",")}]`, (name) => this.initializers.push(Model.integers(name, numbers)))
  }

  float(number: number): string {
    return this.once(String(number), (name) => this.array(name, { shape: [], data: Float32Array.of(number) }))
  }

  graph(name: string, inputs: ReadonlyArray<ValueInfoProto>, outputs: ReadonlyArray<ValueInfoProto>): GraphProto {
    return create(GraphProtoSchema, {
      name,
      node: this.nodes,
      initializer: this.initializers,
      input: [...inputs],
      output: [...outputs]
    })
  }
}
