#!/usr/bin/env node
/**
 * Starts the rai command line. Node caches the compiled code, so every start but the first takes half the time.
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
await import("./Rai.ts")
