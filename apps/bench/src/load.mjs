/**
 * The load client, a process of its own: `node load.mjs URL SECONDS BODY`. It prints requests per second and latency in ms, and fails unless all
 * requests were answered.
 */
import autocannon from "autocannon"

const [, , url, seconds, body] = process.argv
const headers = { "content-type": "application/json" }
const settings = { url, connections: 32, duration: Number(seconds), method: "POST", headers, body }
const { errors, latency, non2xx, requests, timeouts } = await autocannon(settings)
if (errors + non2xx + timeouts > 0) {
  throw new Error(`expected an answer to each request; ${errors + non2xx + timeouts} of ${requests.total} had none`)
}
console.log(
  JSON.stringify({ requests: requests.total, requestsPerSecond: requests.average, p50: latency.p50, p99: latency.p99 })
)
