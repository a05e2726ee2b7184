import { defineConfig } from "vitest/config"

// All packages are built before the first test, which takes its time on a busy machine.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 300_000 } })
