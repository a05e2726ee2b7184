import { defineConfig } from "vitest/config"

// The first test of a file loads an engine's native library, which takes its time on a busy machine.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 60_000 } })
