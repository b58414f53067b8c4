// The conformance package imports a function of Node.js 22 by name, which none of its scenarios here calls.

import { register } from 'node:module'

const withGlob = 'data:text/javascript,export * from "node:fs"; export const globSync = undefined'
const resolve = (name, context, next) =>
  name === 'fs' && context.parentURL?.includes('/conformance/') ? { url: WITH_GLOB, shortCircuit: true } : next(name, context)

const hooks = `const WITH_GLOB = ${JSON.stringify(withGlob)}; export const resolve = ${resolve}`
register(`data:text/javascript,${encodeURIComponent(hooks)}`)
