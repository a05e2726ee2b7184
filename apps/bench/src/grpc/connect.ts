/**
 * `node connect.ts`: the peer, written as its documentation suggests: connect-node's router, with the session on the same thread; prints its address.
 */
import { createServer } from "node:http2"
import type { AddressInfo } from "node:net"
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect"
import { connectNodeAdapter } from "@connectrpc/connect-node"
import { InferenceSession, Tensor } from "@rai/onnxruntime"
import { GRPCInferenceService } from "../../../../packages/serving/src/grpc/grpc_service_pb.ts"
import * as Model from "./Model.ts"

const session = await InferenceSession.create(Model.file, { intraOpNumThreads: 1 })

const routes = (router: ConnectRouter) => {
  router.service(GRPCInferenceService, {
    async modelInfer({ id, inputs, modelName, rawInputContents }) {
      if (modelName !== Model.name) throw new ConnectError("unknown model", Code.NotFound)
      const feeds = inputs.map(({ name, shape }, i) => {
        const floats = new Float32Array(new Uint8Array(rawInputContents[i] ?? []).buffer)
        return [name, new Tensor("float32", floats, shape.map(Number))]
      })
      const results = Object.entries(await session.run(Object.fromEntries(feeds)))
      return {
        modelName,
        modelVersion: "1",
        id,
        outputs: results.map(([name, { dims }]) => ({ name, datatype: "FP32", shape: dims.map(BigInt) })),
        rawOutputContents: results.map(([, { data }]) => new Uint8Array((data as Float32Array).buffer))
      }
    }
  })
}

const server = createServer(connectNodeAdapter({ routes }))
server.listen(0, "127.0.0.1", () => {
  console.log(JSON.stringify({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` }))
})
