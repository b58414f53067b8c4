// A web application with Express and Passport, by the strategy of openid-client.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'

import express from 'express'
import session from 'express-session'
import * as client from 'openid-client'
import { Strategy } from 'openid-client/passport'
import passport from 'passport'

import { signIn, startIdentity } from './quickstart.js'

async function application(issuer) {
  const options = { execute: [client.allowInsecureRequests] } // plain http, on loopback
  const config = await client.discovery(new URL(issuer), 'demo', undefined, client.None(), options)
  const app = express()
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${server.address().port}`
  const users = new passport.Passport()
  const callbackURL = `${origin}/callback`
  users.use('oidc', new Strategy({ config, scope: 'openid profile email', callbackURL }, (tokens, done) => done(null, tokens.claims())))
  users.serializeUser((user, done) => done(null, user))
  users.deserializeUser((user, done) => done(null, user))
  app.use(session({ secret: 'of a test', resave: false, saveUninitialized: false }))
  app.use(users.initialize(), users.session())
  app.get('/login', users.authenticate('oidc'))
  app.get('/callback', users.authenticate('oidc', { successRedirect: '/', failureRedirect: '/failed' }))
  app.get('/', (request, response) => response.json(request.user ?? null))
  return { server, origin }
}

test('an Express application signs a person in', async (t) => {
  const issuer = await startIdentity(t)
  const { server, origin } = await application(issuer)
  t.after(() => server.close())

  const begun = await fetch(`${origin}/login`, { redirect: 'manual' })
  assert.equal(begun.status, 302)
  const cookieOf = (response) => response.headers.getSetCookie().map((line) => line.split(';')[0]).join('; ')
  let cookie = cookieOf(begun)
  const answer = await signIn(new URL(begun.headers.get('location')), 'alice', 'alice123')
  assert.equal(answer.origin, origin)

  const back = await fetch(answer, { redirect: 'manual', headers: { cookie } })
  assert.equal(back.headers.get('location'), '/', await back.text())
  cookie = cookieOf(back) || cookie
  const user = await (await fetch(`${origin}/`, { headers: { cookie } })).json()
  assert.equal(user.sub, 'alice')
  assert.equal(user.iss, issuer)
})
