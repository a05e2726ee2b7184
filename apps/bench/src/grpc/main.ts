/**
 * `node src/grpc/main.ts [ROUNDS] [SECONDS]`: unary gRPC compared with connect-node. Both servers share one core and the client has another; they are
 * loaded in turn, round after round, so that drift in the machine's speed affects both alike.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { cpus, loadavg } from "node:os"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import * as ProcessorTime from "../ProcessorTime.ts"
import { median } from "../Row.ts"

const [rounds = "5", seconds = "4"] = process.argv.slice(2)

type Line = Readonly<Record<string, number | string>>

const on = (core: string, script: string, ...args: ReadonlyArray<string>): ChildProcess => {
  const file = fileURLToPath(new URL(script, import.meta.url))
  return spawn("taskset", ["-c", core, process.execPath, file, ...args], { stdio: ["ignore", "pipe", "inherit"] })
}

// A server's other lines are its log.
const said = async (child: ChildProcess): Promise<Line> => {
  for await (const line of createInterface({ input: child.stdout! })) {
    if (line.startsWith("{")) return JSON.parse(line)
  }
  throw new Error("expected a line of JSON, but the process ended")
}

const names = ["rai", "connect-node"] as const
const servers = [on("0", "ours.ts"), on("0", "connect.ts")]
try {
  const addresses = await Promise.all(servers.map(said))
  const results = names.map(() => [] as Array<Line>)
  // The first round is a warm-up for V8's compiler and is not counted.
  for (let round = 0; round <= Number(rounds); round++) {
    for (const [i, name] of names.entries()) {
      const before = ProcessorTime.seconds(servers[i]!.pid)
      const answer = await said(on("1", "load.ts", String(addresses[i]?.address), seconds))
      const line = {
        ...answer,
        microseconds: ((ProcessorTime.seconds(servers[i]!.pid) - before) * 1e6) / Number(answer.answered)
      }
      if (round > 0) results[i]!.push(line)
      console.error(`round ${round}: ${name} ${JSON.stringify(line)}`)
    }
  }
  const middle = (key: string) => results.map((lines) => median(lines.map((line) => Number(line[key]))))
  const [perSecond, p99, cost] = [middle("perSecond"), middle("p99"), middle("microseconds")]
  const ratios = results[0]!.map((line, i) => Number(line.perSecond) / Number(results[1]![i]!.perSecond))
  const page = [
    `Unary gRPC, raw contents, one example a request, 32 in flight; servers on one core, the client on another (${cpus()[0]?.model.trim()}, load ${loadavg()[0]!.toFixed(1)}); ${rounds} rounds of ${seconds} s, interleaved; medians.`,
    "",
    "| server | requests/s | p99 ms | processor µs a request | failed |",
    "| --- | ---: | ---: | ---: | ---: |",
    ...names.map(
      (name, i) =>
        `| ${name} | ${perSecond[i]!.toFixed(0)} | ${p99[i]!.toFixed(1)} | ${cost[i]!.toFixed(0)} | ${results[i]!.reduce((sum, line) => sum + Number(line.failed), 0)} |`
    ),
    "",
    `× ${(cost[1]! / cost[0]!).toFixed(2)} by processor time, × ${(perSecond[0]! / perSecond[1]!).toFixed(2)} by requests a second (rounds: ${ratios.map((ratio) => ratio.toFixed(2)).join(", ")})`
  ].join("\n")
  writeFileSync(new URL("../../results/grpc.md", import.meta.url), `${page}\n`)
  console.log(page)
} finally {
  for (const server of servers) server.kill()
  await Promise.all(servers.map((server) => once(server, "exit")))
}
