// The dialog shows the site that asks, lets the person choose or enter an address, and
// answers the page that opened it, and no other page.
import { assertion, certify, newKeys, Refused, Unanswered } from './assertion.js';
import * as identities from './identities.js';

const find = id => document.getElementById(id);
const dialog = find('dialog');
const domain = dialog.dataset.domain;

let audience = ''; // the origin that asked; set once
let known = []; // the records of identities.js

// The dialog's state, for its style and for tests: waiting for the request, settling
// (see appeared), ready for input, busy with it, done.
dialog.dataset.state = 'waiting';

// The request ----------------------------------------------------------------

// The first message of the window that opened this one is the request. Its origin,
// which the browser guarantees, is the audience. The answer is addressed to that
// origin, so another page that the window shows later does not receive it.
window.addEventListener('message', event => {
  if (audience || event.source === null || event.source !== window.opener) return;
  if (event.data?.browserid !== 'request') return;
  if (!/^https?:\/\//.test(event.origin)) { // "null": a file, or a sandboxed page
    problem('The page that opened this window has no origin, so it cannot receive an answer. Serve it over http.');
    return;
  }
  audience = event.origin;
  find('audience').textContent = audience;
  find('to').hidden = false;
  const name = oneLine(event.data.siteName);
  find('site-name').textContent = name;
  find('site').hidden = name === '';
  begin();
});

// oneLine removes from a site's name what can mislead: line breaks, invisible and
// direction-changing characters, and all but the first 60 characters.
function oneLine(text) {
  const visible = String(text ?? '').replace(/[\s\p{C}]+/gu, ' ').trim();
  const characters = Array.from(visible);
  return characters.length > 60 ? characters.slice(0, 59).join('') + '…' : visible;
}

function start() {
  status('');
  if (!window.isSecureContext || !crypto.subtle) {
    problem('This browser makes no keys for a page at this address. Open the provider as http://localhost with its port.');
  } else if (!window.opener) {
    problem('A site’s sign-in button opens this window, but no site has opened it. If one has, its Cross-Origin-Opener-Policy cut the connection: it must be same-origin-allow-popups, or absent.');
  } else {
    window.opener.postMessage({ browserid: 'ready' }, '*'); // contains nothing, so any page may receive it
    setTimeout(() => {
      if (!audience && !find('problem').textContent) problem('The site that opened this window does not answer. Close this window, reload the site and try again.');
    }, 5000);
  }
}

// Choosing -------------------------------------------------------------------

async function begin() {
  try {
    known = await identities.at(domain);
  } catch (error) {
    console.warn('The stored addresses cannot be read.', error);
    status('This browser does not let this page store addresses.');
  }
  problem('');
  show();
}

// show lets the person enter an address or, unless typing is true, choose a known one.
function show(typing = known.length === 0) {
  for (const item of document.querySelectorAll('.known')) item.remove();
  find('addresses').prepend(...known.map(record => addressItem(record.email)));
  find('choose').hidden = typing;
  find('type').hidden = !typing;
  find('back').hidden = known.length === 0;
  emailProblem('');
  appeared();
  // The focus is not on an address: an Enter that was meant for the page behind must
  // not sign in.
  find(typing ? 'email' : 'title').focus();
}

function addressItem(email) {
  const item = find('address').content.cloneNode(true);
  const choose = item.querySelector('.address'), forget = item.querySelector('.forget');
  item.querySelector('.initial').textContent = email[0];
  item.querySelector('.email').textContent = email;
  forget.setAttribute('aria-label', 'Forget ' + email);
  forget.title = 'Forget this address';
  choose.addEventListener('click', () => act(() => signIn(email)));
  forget.addEventListener('click', () => act(() => forgetAddress(email)));
  return item;
}

async function forgetAddress(email) {
  await identities.forget(email);
  known = known.filter(record => record.email !== email);
  show();
  status('Forgotten: ' + email);
}

// enteredEmail returns the address in the field. A name without a domain is at this domain.
function enteredEmail() {
  const text = find('email').value.trim();
  const [name, ...rest] = text.split('@');
  return rest.length ? name + '@' + rest.join('@').toLowerCase() : text && text + '@' + domain;
}

function emailProblem(text) {
  find('email-problem').textContent = text;
  find('email').setAttribute('aria-invalid', String(text !== ''));
  if (text) find('email').focus();
}

// Input ------------------------------------------------------------------------

// Input in the moment in which the window or its buttons appear may have been meant
// for what was there before: a page can make people double-click so that the second
// click lands here. The dialog ignores such input, and keys that are held down.
const SETTLE_TIME = 500; // milliseconds
let settling;
function appeared() {
  clearTimeout(settling);
  dialog.dataset.state = 'settling';
  settling = setTimeout(() => dialog.dataset.state = 'ready', SETTLE_TIME);
}
function appearedAgain() {
  if (dialog.dataset.state === 'ready' || dialog.dataset.state === 'settling') appeared();
}
window.addEventListener('focus', appearedAgain);
document.addEventListener('visibilitychange', appearedAgain);
window.addEventListener('keydown', event => {
  if (event.repeat && (event.key === 'Enter' || event.key === ' ')) event.preventDefault();
}, true);

// act runs an action for an input, unless the input is ignored. The action returns true
// if it was the last one.
async function act(action) {
  if (dialog.dataset.state === 'settling') {
    status('That was too early. Please press again.');
  } else if (dialog.dataset.state !== 'ready') {
    // One action at a time.
  } else if (window.innerWidth < 240 || window.innerHeight < 200) {
    status('Please make this window larger, to see the site that asks.');
  } else {
    await perform(action);
  }
}

async function perform(action) {
  dialog.dataset.state = 'busy';
  for (const show of [status, problem, emailProblem]) show('');
  let last = false;
  try {
    last = await action();
  } catch (error) {
    showError(error);
  }
  if (last) dialog.dataset.state = 'done';
  else appeared();
}

function showError(error) {
  status('');
  if (error instanceof Refused && error.field === 'email' && !find('type').hidden) {
    emailProblem(sentence(error.message));
  } else if (error instanceof Refused) {
    problem('The provider refused: ' + error.message);
  } else if (error instanceof Unanswered) {
    problem(`The provider at ${location.origin} does not answer. Is it still running?`);
  } else {
    problem('The browser reports an error: ' + error.message);
  }
}

// sentence returns an error text as a sentence.
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + '.';
}

async function signIn(email) {
  if (!window.opener || window.opener.closed) {
    problem('The site’s window was closed. Close this one and start again at the site.');
    return false;
  }
  status('Signing in…');
  const keys = known.find(record => record.email === email) ?? await newKeys();
  const certificate = await certify(email, keys.publicKey);
  const answer = await assertion(audience, keys.privateKey, certificate);
  await remember({ email, publicKey: keys.publicKey, privateKey: keys.privateKey, used: Date.now() });
  window.opener.postMessage({ browserid: 'assertion', assertion: answer, email }, audience);
  status('Signed in. This window closes now.');
  setTimeout(() => {
    status('');
    problem('The site did not take the answer: it was reloaded, or it shows another page. Close this window and start again at the site.');
  }, 3000);
  return true;
}

// remember stores an address. If that fails, the person has to enter it again.
async function remember(record) {
  try {
    await identities.keep(record);
  } catch (error) {
    console.warn('The address cannot be stored.', error);
  }
}

// Messages ---------------------------------------------------------------------

function status(text) {
  find('status').textContent = text;
}

function problem(text) {
  find('problem').textContent = text;
}

// Wiring -----------------------------------------------------------------------

find('type').addEventListener('submit', event => {
  event.preventDefault();
  act(async () => {
    const email = enteredEmail();
    if (email) return signIn(email);
    emailProblem(`Enter an address, such as ada@${domain}.`);
    return false;
  });
});
find('other').addEventListener('click', () => show(true));
find('back').addEventListener('click', () => show(false));
for (const button of document.querySelectorAll('.cancel')) {
  button.addEventListener('click', () => window.close()); // include.js notices
}
window.addEventListener('keydown', event => {
  if (event.key === 'Escape' && !event.isComposing) window.close();
});

start();
