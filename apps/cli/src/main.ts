#!/usr/bin/env node
/**
 * Starts the rai command line. Node keeps what it compiled, so that every start but the first takes half the time.
 */
import { enableCompileCache } from "node:module"

enableCompileCache()
await import("./Rai.ts")
