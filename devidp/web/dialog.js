// The dialog: shows who asks, lets the person choose or type an address, and
// answers the page that opened it, and nobody else.
import { assertion, certify, newKeys, Refused, Unanswered } from './assertion.js';
import * as identities from './identities.js';

const find = id => document.getElementById(id);
const dialog = find('dialog');
const domain = dialog.dataset.domain;

let audience = ''; // the origin that asked, once it has; never changes then
let known = []; // the records of identities.js

// The dialog's state, for its style and for tests: waiting for the request,
// settling (see appeared), ready for an act of the person, busy with one, done.
dialog.dataset.state = 'waiting';

// Who asks -------------------------------------------------------------------

// The first message of the window that opened this one is the request, and its
// origin, which the browser vouches for, the audience. Whatever else that
// window becomes, it gets nothing: answers are addressed to this origin.
window.addEventListener('message', event => {
  if (audience || event.source === null || event.source !== window.opener) return;
  if (event.data?.browserid !== 'request') return;
  if (!/^https?:\/\//.test(event.origin)) { // "null": a file, or a sandboxed page
    problem('The page that opened this window has no origin that an answer could be addressed to. Serve it over http.');
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

// oneLine cuts what a site says of itself to what cannot mislead: no line
// breaks, no invisible or direction-changing characters, no long text.
function oneLine(text) {
  const visible = String(text ?? '').replace(/[\s\p{C}]+/gu, ' ').trim();
  const characters = Array.from(visible);
  return characters.length > 60 ? characters.slice(0, 59).join('') + '…' : visible;
}

function greet() {
  if (!window.isSecureContext || !crypto.subtle) {
    problem('This browser makes no keys for a page at this address. Open the provider as http://localhost and its port.');
  } else if (!window.opener) {
    problem('This window is opened by a site’s sign-in button, and no site has opened it. If one has, its Cross-Origin-Opener-Policy cut it off: it must be same-origin-allow-popups, or absent.');
  } else {
    window.opener.postMessage({ browserid: 'ready' }, '*'); // says nothing, so anybody may hear it
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
    console.warn('The addresses used before cannot be read.', error);
    status('This browser does not let this page remember addresses.');
  }
  problem('');
  show();
}

// show lets the person choose among known addresses, if there are any and no
// other is wanted, or type one.
function show(typing = known.length === 0) {
  for (const item of document.querySelectorAll('.known')) item.remove();
  find('addresses').prepend(...known.map(record => addressItem(record.email)));
  find('choose').hidden = typing;
  find('type').hidden = !typing;
  find('back').hidden = known.length === 0;
  emailProblem('');
  appeared();
  // Not on an address: Enter, pressed a moment too late for the page behind,
  // must not sign in.
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

// typed gives the address in the field: a name alone is one at this domain.
function typed() {
  const text = find('email').value.trim();
  const [name, ...rest] = text.split('@');
  return rest.length ? name + '@' + rest.join('@').toLowerCase() : text && text + '@' + domain;
}

function emailProblem(text) {
  find('email-problem').textContent = text;
  find('email').setAttribute('aria-invalid', String(text !== ''));
  if (text) find('email').focus();
}

// The person's act -------------------------------------------------------------

// What is pressed in the moment in which the window or its buttons appear may
// have been meant for what was there before: a page that makes people
// double-click could have its second click land here. So it does not count, and
// neither does a key that is held down.
const MOMENT = 500; // milliseconds
let settling;
function appeared() {
  clearTimeout(settling);
  dialog.dataset.state = 'settling';
  settling = setTimeout(() => dialog.dataset.state = 'ready', MOMENT);
}
function appearedAgain() {
  if (dialog.dataset.state === 'ready' || dialog.dataset.state === 'settling') appeared();
}
window.addEventListener('focus', appearedAgain);
document.addEventListener('visibilitychange', appearedAgain);
window.addEventListener('keydown', event => {
  if (event.repeat && (event.key === 'Enter' || event.key === ' ')) event.preventDefault();
}, true);

// act does what was pressed, unless it does not count, and says what went wrong.
// The deed gives true when it was the last.
async function act(deed) {
  if (dialog.dataset.state === 'settling') {
    status('That came a little soon. Please press again.');
  } else if (dialog.dataset.state !== 'ready') {
    // One thing at a time.
  } else if (window.innerWidth < 240 || window.innerHeight < 200) {
    status('Please make this window larger, to see who asks.');
  } else {
    await perform(deed);
  }
}

async function perform(deed) {
  dialog.dataset.state = 'busy';
  for (const say of [status, problem, emailProblem]) say('');
  let last = false;
  try {
    last = await deed();
  } catch (error) {
    tell(error);
  }
  if (last) dialog.dataset.state = 'done';
  else appeared();
}

function tell(error) {
  status('');
  if (error instanceof Refused && error.field === 'email' && !find('type').hidden) {
    emailProblem(sentence(error.message));
  } else if (error instanceof Refused) {
    problem('The provider refused: ' + error.message);
  } else if (error instanceof Unanswered) {
    problem(`The provider at ${location.origin} does not answer. Is it still running?`);
  } else {
    problem('The browser could not do it: ' + error.message);
  }
}

// sentence returns an error text as a sentence.
function sentence(text) {
  return text[0].toUpperCase() + text.slice(1) + '.';
}

async function signIn(email) {
  if (!window.opener || window.opener.closed) {
    problem('The site’s window is gone. Close this one and start again at the site.');
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
    problem('The site did not take the answer: it was reloaded, or shows another page now. Close this window and start again at the site.');
  }, 3000);
  return true;
}

// remember may fail without harm: the address has to be typed again next time.
async function remember(record) {
  try {
    await identities.keep(record);
  } catch (error) {
    console.warn('The address cannot be remembered.', error);
  }
}

// What is said -----------------------------------------------------------------

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
    const email = typed();
    if (email) return signIn(email);
    emailProblem(`Type an address, such as ada@${domain}.`);
    return false;
  });
});
find('other').addEventListener('click', () => show(true));
find('back').addEventListener('click', () => show(false));
for (const button of document.querySelectorAll('.cancel')) {
  button.addEventListener('click', () => window.close()); // which the site's script notices
}
window.addEventListener('keydown', event => {
  if (event.key === 'Escape' && !event.isComposing) window.close();
});

greet();
