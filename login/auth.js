// The buttons #browserid-login and #browserid-logout, for any navigator.id: see
// docs/LOGIN.md of github.com/vepverify/vepverify. "site" has the routes and the
// messages by reason.
(function (site) {
  'use strict';

  let attempt = null;      // the attempt to sign in whose dialog is open, see signIn
  let sending = false;     // a request was sent and has no response yet
  let signingOut = false;  // the request is a logout
  let finished = false;    // the user was signed in, and another page is loading
  let watched = null;      // the navigator.id that reports logins

  // The messages for reasons that are not those of a response.
  const ownMessages = {
    blocked: 'Your browser blocked the sign-in window: allow pop-ups for this site and try again.',
    lost: 'The sign-in window closed before it could answer. If it showed an error, please try again later. If you did not close it, your browser may have closed it: allow pop-ups for this site and try again.',
    'opener-policy': 'This page cannot receive the answer of the sign-in window, because of a setting of the site. Please tell the site’s operator: its Cross-Origin-Opener-Policy cuts the connection.',
    'no-origin': 'You cannot sign in here, because this page is a file or in a sandboxed frame. Open the site itself, in a window of its own.',
    'no-cookies': 'Your browser blocks cookies for this site, so it cannot keep you signed in. Allow them and try again.',
    'no-session': 'Your address was accepted. If this page does not show that you are signed in, your browser may not keep the cookies of this site: allow them, open the site in a window of its own, and try again.',
    unreachable: 'The site could not be reached. Please check your connection and try again.',
  };

  const find = (name) => document.getElementById('browserid-' + name);
  const has = (id, name) => Boolean(id) && typeof id[name] === 'function';

  // elementFor returns the element for messages or for the state: the page's, or a new one
  // after another element.
  function elementFor(name, role, after) {
    let element = find(name);
    if (!element) {
      element = document.createElement('span');
      element.id = 'browserid-' + name;
      element.setAttribute('role', role);
      element.setAttribute('aria-live', role === 'alert' ? 'assertive' : 'polite');
      after.insertAdjacentElement('afterend', element);
    }
    return element;
  }

  const messageElement = (button) => elementFor('message', 'alert', button);
  const stateElement = (button) => elementFor('state', 'status', messageElement(button));

  function showMessage(button, text) { messageElement(button).textContent = text; }

  // announce sends an event to the page. It reports whether this script shows the detail: a
  // page that does so itself prevents the default.
  function announce(button, type, detail) {
    return button.dispatchEvent(new CustomEvent(type, { bubbles: true, cancelable: true, detail }));
  }

  // showState shows what the page is waiting for, with buttons. An empty text means nothing.
  // Actions are functions by the names of the buttons.
  function showState(button, text, actions = {}) {
    if (text) button.setAttribute('aria-busy', 'true');
    else button.removeAttribute('aria-busy');
    if (!announce(button, 'browserid:state', { message: text, actions })) return;
    const buttons = Object.entries(actions).flatMap(([name, act]) => {
      const control = document.createElement('button');
      control.type = 'button'; // it submits no form
      control.textContent = name;
      control.addEventListener('click', act);
      return [' ', control];
    });
    stateElement(button).replaceChildren(text, ...buttons);
  }

  // fail shows an error. The status is that of the response, or 0 if there is none.
  function fail(button, status, reason, message = messageFor(status, reason)) {
    if (announce(button, 'browserid:error', { status, reason, message })) showMessage(button, message);
  }

  function messageFor(status, reason) {
    if (status === 0) return ownMessages[reason];
    if (reason === site.crossOrigin) {
      return 'The site does not accept requests from ' + location.origin + ', the address of this page. Please open the site at its usual address. If this is it, please tell the site’s operator.';
    }
    if (Object.hasOwn(site.messages, reason)) return site.messages[reason];
    const kind = Object.keys(site.messagesOfKinds).find((name) => reason.startsWith(name));
    if (kind) return site.messagesOfKinds[kind];
    if (status === 403 && reason) return 'You could not be signed in: ' + reason + '.';
    if (reason) return 'The request was refused: ' + reason + '.';
    return 'The site has a problem just now. Please try again in a moment.';
  }

  // post sends a request and resolves to {ok, status, reason, next}. Callers send one
  // request at a time.
  async function post(button, url, fields) {
    sending = true;
    showState(button, signingOut ? 'Signing out…' : 'Signing in…');
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new URLSearchParams(fields),
        credentials: 'same-origin',
        cache: 'no-store',
      });
      const answer = (await response.json().catch(() => null)) || {};
      return { ok: response.ok && answer.status === 'okay', status: response.status, reason: typeof answer.reason === 'string' ? answer.reason : '', next: answer.next };
    } catch {
      return { ok: false, status: 0, reason: 'unreachable' };
    } finally {
      sending = false;
      showState(button, '');
    }
  }

  // go shows the next page, or reloads this one if there is none. The server has
  // checked that next is a page of this origin. This is a second check.
  function go(next) {
    const target = next ? new URL(next, location.href) : null;
    if (!target || target.origin !== location.origin) {
      location.reload();
      return;
    }
    location.assign(target.href);
    if (target.hash && target.pathname + target.search === location.pathname + location.search) location.reload();
  }

  const nextPage = (button) => button.dataset.next || new URLSearchParams(location.search).get('next') || '';

  // onAssertion posts an assertion if the user has pressed the button. Others, which a
  // navigator.id may report at any time, are ignored.
  async function onAssertion(assertion) {
    if (!attempt) return;
    const { button } = attempt;
    endAttempt();
    const form = button.form;
    if (form && form.elements.assertion) {
      form.elements.assertion.value = assertion;
      if (form.elements.next && !form.elements.next.value) form.elements.next.value = nextPage(button);
      finished = true;
      showState(button, 'Signing in…');
      HTMLFormElement.prototype.submit.call(form); // a field may be called "submit"
      return;
    }
    const next = nextPage(button);
    const result = await post(button, site.login, next ? { assertion, next } : { assertion });
    if (result.ok) {
      finished = true;
      noteLogin();
      go(result.next);
      return;
    }
    if (result.status === 403) forget();
    fail(button, result.status, result.reason);
  }

  // endAttempt ends the wait for the dialog.
  function endAttempt() {
    const { button } = attempt;
    attempt = null;
    showState(button, '');
  }

  // onCancel reports that the dialog has ended without an assertion. The reason is that of
  // include.js. Another navigator.id may return none.
  async function onCancel(mine, reason) {
    if (attempt !== mine || mine.raising || reason === 'replaced') return;
    const { button } = mine;
    endAttempt();
    if (reason === 'lost' && await cutsDialog()) reason = 'opener-policy';
    if (attempt) return; // the user has pressed the button again
    switch (reason) {
      case 'blocked':
      case 'lost':
        fail(button, 0, reason);
        showState(button, '', { 'Try again': () => signIn(button) });
        break;
      case 'opener-policy':
        console.warn('login: this page has Cross-Origin-Opener-Policy: same-origin, which cuts its connection to the sign-in window. Use same-origin-allow-popups.');
        fail(button, 0, reason);
        break;
      case 'cancelled':
        showMessage(button, 'Signing in was cancelled.');
        break;
      default:
        showMessage(button, 'Signing in was cancelled. If no window appeared, your browser blocked it: allow pop-ups for this site and try again.');
    }
  }

  // cutsDialog reports whether the Cross-Origin-Opener-Policy of this page cuts its connection
  // to the dialog. A script can read the policy from a response only.
  async function cutsDialog() {
    try {
      const page = await fetch(location.href, {
        method: 'HEAD',
        credentials: 'same-origin',
        cache: 'no-store',
        redirect: 'error', // the answer would be that of another page
        signal: AbortSignal.timeout(3000),
      });
      return (page.headers.get('Cross-Origin-Opener-Policy') || '').split(';')[0].trim() === 'same-origin';
    } catch {
      return false; // the general message includes this case
    }
  }

  // keepsCookies reports whether the browser keeps cookies of this site. navigator.cookieEnabled
  // is true in Chromium even if the user has blocked them.
  function keepsCookies() {
    try {
      document.cookie = 'browserid-test=1; Path=/; SameSite=Lax';
      const kept = document.cookie.includes('browserid-test=1');
      document.cookie = 'browserid-test=; Path=/; SameSite=Lax; Max-Age=0';
      return kept;
    } catch {
      return false;
    }
  }

  // noteLogin stores the time of a login for checkSession.
  function noteLogin() {
    try {
      sessionStorage.setItem('browserid-login', String(Date.now()));
    } catch {
      // Nothing can be stored, so nothing will be checked.
    }
  }

  // takeLogin returns the stored time of a login, or 0, and removes it.
  function takeLogin() {
    try {
      const time = Number(sessionStorage.getItem('browserid-login'));
      sessionStorage.removeItem('browserid-login');
      return time;
    } catch {
      return 0;
    }
  }

  // checkSession shows a message if the user has just signed in, but the page has only the
  // login button. A page may have it for another reason, so the message is conditional.
  function checkSession() {
    const time = takeLogin();
    const button = find('login');
    if (!button || find('logout') || !(Date.now() - time < 60000)) return;
    console.warn('login: a user has just signed in, but this page has only the login button. If the user is not signed in, possible causes are: the browser blocks cookies; this page is in a frame of another site; a proxy removes the session cookie; a cache has answered with the page from before the login; another process of the site, with sessions of its own, has answered.');
    fail(button, 0, 'no-session');
  }

  // watch must be called before request. The data-user of the logout button is the user
  // who is signed in. Without it, that is unknown.
  function watch() {
    const id = navigator.id;
    if (watched === id || !has(id, 'watch') || !has(id, 'request')) return;
    watched = id;
    const out = find('logout');
    id.watch({
      loggedInUser: out ? out.dataset.user || undefined : null,
      onlogin: onAssertion,
      onlogout: () => {
        const button = find('logout');
        if (button && button.dataset.user && !signingOut) signOut(button, true);
      },
    });
  }

  // canSignIn reports whether a navigator.id has the functions for a login.
  const canSignIn = (id) => (has(id, 'watch') && has(id, 'request')) || has(id, 'get');

  // signIn opens the dialog, or shows it if it is open: request and get do both. Browsers
  // allow a window only while they handle the click.
  function signIn(button) {
    if (sending) return;
    showMessage(button, '');
    if (window.origin === 'null') {
      fail(button, 0, 'no-origin');
      return;
    }
    if (!keepsCookies()) {
      fail(button, 0, 'no-cookies');
      return;
    }
    const id = navigator.id;
    if (!canSignIn(id)) {
      reportMissing(button);
      return;
    }
    const raising = attempt !== null;
    if (!raising) attempt = { button };
    const mine = attempt;
    showState(button, 'Waiting for the sign-in window.', { 'Show it': () => signIn(button), Cancel: () => cancel(mine) });
    mine.raising = raising; // if the dialog was closed just now, another opens: then this is not the end
    try {
      if (has(id, 'watch') && has(id, 'request')) {
        watch();
        id.request({ oncancel: (reason) => onCancel(mine, reason) });
      } else {
        id.get((assertion, reason) => (assertion ? onAssertion(assertion) : onCancel(mine, reason)));
      }
    } catch (error) {
      if (attempt) endAttempt();
      console.warn('login: navigator.id has failed.', error);
      fail(button, 0, 'unsupported', 'The sign-in dialog could not be loaded. Please reload the page and try again.');
    }
    mine.raising = false;
  }

  // cancel closes the dialog, if navigator.id can do that, and ignores its answer.
  function cancel(mine) {
    const { button } = mine;
    if (has(navigator.id, 'cancel')) navigator.id.cancel();
    onCancel(mine, 'cancelled');
    button.focus(); // the button that was pressed no longer exists
  }

  // blockedScripts returns the URLs of the page's scripts that its Content-Security-Policy has
  // blocked, as far as the browser reports them. Extensions insert others.
  function blockedScripts() {
    if (!window.ReportingObserver) return [];
    const observer = new ReportingObserver(() => {}, { types: ['csp-violation'], buffered: true });
    observer.observe();
    const enforced = observer.takeRecords().map((report) => report.body).filter((body) => body.disposition === 'enforce');
    observer.disconnect();
    const urls = enforced.map((body) => body.blockedURL);
    return Array.from(document.scripts, (script) => script.src).filter((url) => urls.includes(url));
  }

  // reportMissing shows that no script has defined navigator.id.
  function reportMissing(button) {
    const blocked = blockedScripts();
    console.warn('login: no script has defined navigator.id. ' + (blocked.length
      ? 'The Content-Security-Policy of this page has blocked ' + blocked.join(', ') + '. Add the origin of the script to script-src.'
      : 'Either the identity provider does not serve the script, or an extension or a Content-Security-Policy blocks it. See the network requests of this page.'));
    fail(button, 0, 'unsupported', 'The sign-in dialog could not be loaded. ' + (blocked.length
      ? 'Please tell the site’s operator: the page’s Content-Security-Policy forbids it.'
      : 'The identity provider may be unreachable, or your browser blocks it. Please reload the page, or try again later.'));
  }

  // forget tells navigator.id that no user is signed in.
  function forget() {
    try {
      if (has(navigator.id, 'logout')) navigator.id.logout();
    } catch {
      // The user is signed out here all the same.
    }
  }

  // signOut signs out. It does not tell navigator.id of a logout that navigator.id has
  // reported, which it might report again.
  async function signOut(button, reported) {
    if (sending) return;
    showMessage(button, '');
    signingOut = true;
    takeLogin();
    if (!reported) forget();
    const result = await post(button, site.logout, {});
    if (result.ok) {
      go(result.next);
      return;
    }
    signingOut = false;
    fail(button, result.status, result.reason);
  }

  // postsLogout reports whether the button's form posts to the logout route itself.
  function postsLogout(button) {
    const form = button.form;
    return Boolean(form) && new URL(form.getAttribute('action') || '', document.baseURI).pathname === site.logout;
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('#browserid-login, #browserid-logout');
    if (!button) return;
    if (button.id === 'browserid-logout' && postsLogout(button)) {
      signingOut = true;
      takeLogin();
      forget();
      return;
    }
    event.preventDefault();
    if (button.id === 'browserid-login') signIn(button);
    else signOut(button, false);
  });

  // When the user goes back, the page may have its former state.
  window.addEventListener('pageshow', (event) => {
    const button = find('login');
    const form = button && button.form;
    if (form && form.elements.assertion) form.elements.assertion.value = '';
    signingOut = false;
    if (!event.persisted) return;
    attempt = null; // its dialog was closed with the page
    if (button) showState(button, '');
    if (finished) location.reload(); // this is the page from before the login
  });

  function ready() {
    for (const button of [find('login'), find('logout')]) {
      if (!button) continue;
      button.disabled = false; // without this script, it does nothing
      stateElement(button).replaceChildren(); // it may have a text for browsers that do not run this script
    }
    checkSession();
    watch();
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', ready);
  else ready();

  // A script that defines navigator.id may be loaded until the page is complete.
  function loaded() {
    const button = find('login');
    if (button && !canSignIn(navigator.id)) reportMissing(button);
  }
  if (document.readyState === 'complete') loaded();
  else window.addEventListener('load', loaded);
})
