import { InMemoryWebStorage, UserManager, WebStorageStateStore } from 'oidc-client-ts'

export const manager = new UserManager({
  authority: 'https://notes.example',
  client_id: 'app',
  redirect_uri: `${location.origin}/callback`,
  post_logout_redirect_uri: `${location.origin}/`,
  scope: 'openid notes:read',
  userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }), // a token is in no storage
})

let fresh // the access token of the sign-in that loaded this page, if one did

/** The user who is signed in, or null. Every page of the application calls it first. */
export async function start() {
  if (location.pathname === '/callback') {
    const user = await manager.signinCallback() // nothing in the hidden frame, which tells the page around it
    if (user) history.replaceState(null, '', '/')
    fresh = user?.access_token
    return user ?? null
  }
  // The memory is empty after a reload. The session at the server knows.
  return manager.signinSilent().catch((error) => {
    if (error.error === 'login_required') return null
    throw error
  })
}

export const signIn = () => manager.signinRedirect()
export const signOut = () => manager.signoutRedirect()

/** Calls the API, and signs in where there is no token, or none that it takes any more. */
export async function notes() {
  const user = await manager.getUser()
  if (!user) return signIn()
  const answer = await fetch('https://notes.example/api/notes', {
    headers: { authorization: `Bearer ${user.access_token}` },
  })
  // What is refused right after a sign-in would be refused after the next one too.
  if (answer.status === 401 && user.access_token !== fresh) return signIn()
  if (!answer.ok) throw new Error((await answer.json()).error_description)
  return answer.json()
}
