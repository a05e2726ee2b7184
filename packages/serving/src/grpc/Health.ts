/**
 * grpc.health.v1: whether the server is ready, asked once or watched. Probes bring no token, and learn no more than that.
 */
import { status as Code, type handleUnaryCall, type UntypedServiceImplementation } from "@grpc/grpc-js"
import { Effect, Schedule, Stream } from "effect"
import type { DataPlane } from "../DataPlane.ts"
import * as Calls from "./Calls.ts"
import {
  Health,
  type HealthCheckRequest,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving
} from "./health_pb.ts"

const { check, list, watch } = Health.method

// A service may come to be known while it is watched; here none does.
const unknown: Stream.Stream<Serving> = Stream.concat(Stream.succeed(Serving.SERVICE_UNKNOWN), Stream.never)

/** The methods; `services` are the names that this server answers for, beside the empty one for all of it. */
export const implementation = (
  calls: Calls.Calls,
  plane: DataPlane["Service"],
  services: ReadonlyArray<string>
): UntypedServiceImplementation => {
  const status = plane.serverReady.pipe(
    Effect.match({ onSuccess: () => Serving.SERVING, onFailure: () => Serving.NOT_SERVING })
  )
  const knows = (service: string) => service === "" || services.includes(service)
  const statuses: Stream.Stream<Serving> = Stream.fromEffectSchedule(status, Schedule.spaced("500 millis")).pipe(
    Stream.changes
  )
  const checkKnown = Calls.unary(calls, "probe", check, () => Effect.map(status, (status) => ({ status })))
  return {
    check: ((call, callback) =>
      knows(call.request.service)
        ? checkKnown(call, callback)
        : callback({
            code: Code.NOT_FOUND,
            details: "there is no service of this name here"
          })) satisfies handleUnaryCall<HealthCheckRequest, HealthCheckResponse>,
    list: Calls.unary(calls, "probe", list, () =>
      Effect.map(status, (status) => ({
        statuses: Object.fromEntries(["", ...services].map((service) => [service, { status }]))
      }))
    ),
    watch: Calls.serverStream(
      calls,
      "probe",
      watch,
      ({ service }) => Stream.map(knows(service) ? statuses : unknown, (status) => ({ status })),
      { status: Serving.NOT_SERVING }
    )
  }
}
