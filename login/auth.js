// The buttons #browserid-login and #browserid-logout, for any navigator.id: see
// docs/LOGIN.md of github.com/vepverify/vepverify. "site" has the routes and the
// messages by reason.
(function (site) {
  'use strict';

  let pressed = null;      // the button whose dialog is open
  let sending = false;     // a request was sent and has no response yet
  let signingOut = false;  // the request is a logout
  let watched = null;      // the navigator.id that reports logins

  const find = (name) => document.getElementById('browserid-' + name);
  const has = (id, name) => Boolean(id) && typeof id[name] === 'function';

  // messageElement returns the element for messages: the page's, or a new one after the button.
  function messageElement(button) {
    let element = find('message');
    if (!element) {
      element = document.createElement('span');
      element.id = 'browserid-message';
      element.setAttribute('role', 'alert');
      element.setAttribute('aria-live', 'assertive');
      button.insertAdjacentElement('afterend', element);
    }
    return element;
  }

  function showMessage(button, text) { messageElement(button).textContent = text; }

  // A page that shows errors itself listens for the event and prevents the default.
  function fail(button, detail) {
    const event = new CustomEvent('browserid:error', { bubbles: true, cancelable: true, detail });
    if (button.dispatchEvent(event)) showMessage(button, detail.message);
  }

  function messageFor(status, reason) {
    if (status === 0) return 'The site could not be reached. Please check your connection and try again.';
    if (Object.hasOwn(site.messages, reason)) return site.messages[reason];
    if (status === 403 && reason) return 'You could not be signed in: ' + reason + '.';
    if (reason) return 'The request was refused: ' + reason + '.';
    return 'The site has a problem just now. Please try again in a moment.';
  }

  // post sends a request and resolves to {ok, status, reason, next}. Callers send one
  // request at a time.
  async function post(button, url, fields) {
    sending = true;
    button.setAttribute('aria-busy', 'true');
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { Accept: 'application/json' },
        body: new URLSearchParams(fields),
        credentials: 'same-origin',
        cache: 'no-store',
      });
      const answer = (await response.json().catch(() => null)) || {};
      return { ok: response.ok && answer.status === 'okay', status: response.status, reason: answer.reason || '', next: answer.next };
    } catch {
      return { ok: false, status: 0, reason: 'unreachable' };
    } finally {
      sending = false;
      button.removeAttribute('aria-busy');
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
    const button = pressed;
    if (!button) return;
    pressed = null;
    const form = button.form;
    if (form && form.elements.assertion) {
      form.elements.assertion.value = assertion;
      if (form.elements.next && !form.elements.next.value) form.elements.next.value = nextPage(button);
      HTMLFormElement.prototype.submit.call(form); // a field may be called "submit"
      return;
    }
    const next = nextPage(button);
    const result = await post(button, site.login, next ? { assertion, next } : { assertion });
    if (result.ok) {
      go(result.next);
      return;
    }
    if (result.status === 403) forget();
    fail(button, { status: result.status, reason: result.reason, message: messageFor(result.status, result.reason) });
  }

  function cancelled(button) {
    if (pressed !== button) return;
    pressed = null;
    showMessage(button, 'Signing in was cancelled.');
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

  // signIn opens the dialog. Browsers allow a window only while they handle the click.
  function signIn(button) {
    if (sending) return;
    showMessage(button, '');
    pressed = button;
    const id = navigator.id;
    try {
      if (has(id, 'watch') && has(id, 'request')) {
        watch();
        id.request({ oncancel: () => cancelled(button) });
      } else if (has(id, 'get')) {
        id.get((assertion) => (assertion ? onAssertion(assertion) : cancelled(button)));
      } else {
        throw new Error('no navigator.id');
      }
    } catch {
      pressed = null;
      fail(button, { status: 0, reason: 'unsupported', message: 'The sign-in dialog could not be loaded. Please reload the page and try again.' });
    }
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
    if (!reported) forget();
    const result = await post(button, site.logout, {});
    if (result.ok) {
      go(result.next);
      return;
    }
    signingOut = false;
    fail(button, { status: result.status, reason: result.reason, message: messageFor(result.status, result.reason) });
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
      forget();
      return;
    }
    event.preventDefault();
    if (button.id === 'browserid-login') signIn(button);
    else signOut(button, false);
  });

  // When the user goes back, the page may have its former state.
  window.addEventListener('pageshow', () => {
    const button = find('login');
    const form = button && button.form;
    if (form && form.elements.assertion) form.elements.assertion.value = '';
    signingOut = false;
  });

  function ready() {
    const button = find('login') || find('logout');
    if (button) messageElement(button); // screen readers announce changes of an element that exists
    watch();
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', ready);
  else ready();
})
