// The buttons #browserid-login and #browserid-logout, for any navigator.id: see
// docs/LOGIN.md of github.com/vepverify/vepverify. "site" has the routes and the
// words for what can go wrong.
(function (site) {
  'use strict';

  let asking = null;   // the button whose dialog is open
  let sending = false; // a request is under way
  let leaving = false; // it is a logout
  let watched = null;  // the navigator.id that tells us of logins

  const find = (name) => document.getElementById('browserid-' + name);
  const has = (id, name) => Boolean(id) && typeof id[name] === 'function';

  // What is said stands next to the button, unless the page has a place for it.
  function place(button) {
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

  function say(button, text) { place(button).textContent = text; }

  // A page that has its own way of saying things listens and prevents the default.
  function fail(button, detail) {
    const event = new CustomEvent('browserid:error', { bubbles: true, cancelable: true, detail });
    if (button.dispatchEvent(event)) say(button, detail.message);
  }

  function wordsFor(status, reason) {
    if (status === 0) return 'The site could not be reached. Please check your connection and try again.';
    if (Object.hasOwn(site.words, reason)) return site.words[reason];
    if (status === 403 && reason) return 'You could not be signed in: ' + reason + '.';
    if (reason) return 'The request was refused: ' + reason + '.';
    return 'The site has a problem just now. Please try again in a moment.';
  }

  // Only one request at a time; what it came to is {ok, status, reason, next}.
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

  // Without a next page this one is shown anew. The server has made sure that
  // next is a page of this origin; so do we.
  function go(next) {
    const target = next ? new URL(next, location.href) : null;
    if (!target || target.origin !== location.origin) {
      location.reload();
      return;
    }
    location.assign(target.href);
    if (target.hash && target.pathname + target.search === location.pathname + location.search) location.reload();
  }

  const wanted = (button) => button.dataset.next || new URLSearchParams(location.search).get('next') || '';

  // An assertion counts when it follows a press of the button. What else a
  // navigator.id tells of its own accord is not taken for a wish to sign in.
  async function proved(assertion) {
    const button = asking;
    if (!button) return;
    asking = null;
    const form = button.form;
    if (form && form.elements.assertion) {
      form.elements.assertion.value = assertion;
      if (form.elements.next && !form.elements.next.value) form.elements.next.value = wanted(button);
      HTMLFormElement.prototype.submit.call(form); // a field may be called "submit"
      return;
    }
    const next = wanted(button);
    const result = await post(button, site.login, next ? { assertion, next } : { assertion });
    if (result.ok) {
      go(result.next);
      return;
    }
    if (result.status === 403) forget();
    fail(button, { status: result.status, reason: result.reason, message: wordsFor(result.status, result.reason) });
  }

  function cancelled(button) {
    if (asking !== button) return;
    asking = null;
    say(button, 'Signing in was cancelled.');
  }

  // watch() comes with request(), and must be called before it. The logout
  // button says who is signed in, by data-user; if it does not, we do not know.
  function watch() {
    const id = navigator.id;
    if (watched === id || !has(id, 'watch') || !has(id, 'request')) return;
    watched = id;
    const out = find('logout');
    id.watch({
      loggedInUser: out ? out.dataset.user || undefined : null,
      onlogin: proved,
      onlogout: () => {
        const button = find('logout');
        if (button && button.dataset.user && !leaving) signOut(button, true);
      },
    });
  }

  // The dialog is a window that browsers let us open only right inside the click.
  function signIn(button) {
    if (sending) return;
    say(button, '');
    asking = button;
    const id = navigator.id;
    try {
      if (has(id, 'watch') && has(id, 'request')) {
        watch();
        id.request({ oncancel: () => cancelled(button) });
      } else if (has(id, 'get')) {
        id.get((assertion) => (assertion ? proved(assertion) : cancelled(button)));
      } else {
        throw new Error('no navigator.id');
      }
    } catch {
      asking = null;
      fail(button, { status: 0, reason: 'unsupported', message: 'The sign-in dialog could not be loaded. Please reload the page and try again.' });
    }
  }

  // forget tells the navigator.id, if it wants to know, that nobody is signed in.
  function forget() {
    try {
      if (has(navigator.id, 'logout')) navigator.id.logout();
    } catch {
      // It concerns us no more.
    }
  }

  // What navigator.id has told us, told, it need not be told: it might tell us
  // again, and so on.
  async function signOut(button, told) {
    if (sending) return;
    say(button, '');
    leaving = true;
    if (!told) forget();
    const result = await post(button, site.logout, {});
    if (result.ok) {
      go(result.next);
      return;
    }
    leaving = false;
    fail(button, { status: result.status, reason: result.reason, message: wordsFor(result.status, result.reason) });
  }

  // A form that posts to the logout route itself needs no help.
  function postsItself(button) {
    const form = button.form;
    return Boolean(form) && new URL(form.getAttribute('action') || '', document.baseURI).pathname === site.logout;
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('#browserid-login, #browserid-logout');
    if (!button) return;
    if (button.id === 'browserid-logout' && postsItself(button)) {
      leaving = true;
      forget();
      return;
    }
    event.preventDefault();
    if (button.id === 'browserid-login') signIn(button);
    else signOut(button, false);
  });

  // By going back, a page returns as it was left.
  window.addEventListener('pageshow', () => {
    const button = find('login');
    const form = button && button.form;
    if (form && form.elements.assertion) form.elements.assertion.value = '';
    leaving = false;
  });

  function ready() {
    const button = find('login') || find('logout');
    if (button) place(button); // an empty live region now is heard when it is filled
    watch();
  }
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', ready);
  else ready();
})
