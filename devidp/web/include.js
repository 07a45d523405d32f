// navigator.id for relying parties: watch, request, logout, and the older get and
// getVerifiedEmail, as in the historic include.js. The development identity provider
// that serves this file asks the person in a window of its own. The comment of package
// devidp says how the two differ.
//
// Nothing here is secret. The dialog does not trust this script: it takes the site's
// origin from the browser.
(function () {
  'use strict';

  const script = document.currentScript;
  if (navigator.id && navigator.id.request && !navigator.id._shimmed) return; // the browser has its own
  if (!script || !script.src) throw new Error('include.js: load it by <script src="…">, not as a module');
  const provider = new URL(script.src).origin;

  let observers = null; // the argument of watch
  let user; // the user who the site says is signed in: an address, null for none, or undefined if it does not know
  let mode = ''; // 'watch' or 'get', whichever the site used first
  let dialog = null; // while one is open: {window, purpose, poll, ready}

  // The address that was last chosen at this site, in the site's own storage. The
  // site's other tabs learn of a logout from it. null means none; undefined means that
  // the browser does not let the site store anything, and then user decides.
  const KEY = 'navigator.id';
  function chosen() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return undefined;
    }
  }
  function choose(email) {
    try {
      if (email === null) localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, email);
    } catch {
      // Nothing can be stored: chosen returns undefined.
    }
  }

  // compare runs once after watch. It calls onlogout if no address is chosen and the
  // site says that a user is signed in, or does not know. In the reverse case it calls
  // nothing: a session that has ended starts again in the dialog only.
  function compare(watching) {
    if (watching !== observers) return; // watch was called again
    const last = chosen();
    if (last === null && user !== null) {
      signedOut();
    } else if (user !== undefined) {
      if (user === null) choose(null);
      call(watching.onmatch);
    }
    call(watching.onready);
  }

  function signedOut() {
    user = null;
    call(observers && observers.onlogout);
  }

  function call(callback, argument) {
    if (callback) callback(argument);
  }

  window.addEventListener('storage', function (event) {
    // Another tab of the site signed out. A null key means that all keys were cleared.
    const ours = event.key === KEY || event.key === null;
    if (ours && observers && user !== null && chosen() === null) signedOut();
  });

  // open shows the dialog, or brings it to the front. A purpose is {siteName, done,
  // cancelled, replaced}. One of its functions is called in the end: replaced if open
  // is called again before that. cancelled and replaced get the reason:
  //
  //   cancelled  the person closed the dialog
  //   blocked    the browser opened no window
  //   lost       the window was closed, or its connection cut, before the dialog answered
  //   replaced   open was called again
  function open(purpose) {
    if (dialog && !dialog.window.closed) {
      call(dialog.purpose.replaced, 'replaced');
      dialog.purpose = purpose;
      dialog.window.focus();
      return;
    }
    if (dialog) cancel(); // closed just now
    const opened = window.open(provider + '/sign_in', '_blank', 'popup,' + place(440, 640));
    if (!opened || opened.closed) {
      console.warn('navigator.id: the browser blocked the window. It opens windows only in the handler of a click, and if pop-ups are allowed for this site.');
      setTimeout(call, 0, purpose.cancelled, 'blocked');
      return;
    }
    const poll = setInterval(function () {
      if (opened.closed) cancel();
    }, 250);
    dialog = { window: opened, purpose, poll, ready: false };
  }

  // cancel closes the dialog and tells the site.
  function cancel(reason = dialog.ready ? 'cancelled' : 'lost') {
    if (reason === 'lost') {
      console.warn('navigator.id: the window closed before it answered. If the person did not close it, an extension of the browser did, or the Cross-Origin-Opener-Policy of this page cut the connection: use same-origin-allow-popups.');
    }
    call(close().cancelled, reason);
  }

  // place centres a window over this one.
  function place(width, height) {
    const left = Math.round(window.screenX + Math.max(0, window.outerWidth - width) / 2);
    const top = Math.round(window.screenY + Math.max(0, window.outerHeight - height) / 3);
    return `width=${width},height=${height},left=${left},top=${top}`;
  }

  // close closes the dialog and returns its purpose.
  function close() {
    const { window: closing, purpose, poll } = dialog;
    dialog = null;
    clearInterval(poll);
    closing.close();
    return purpose;
  }

  window.addEventListener('message', function (event) {
    if (!dialog || event.source !== dialog.window || event.origin !== provider) return;
    const message = event.data || {};
    if (message.browserid === 'ready') {
      dialog.ready = true;
      const siteName = String(dialog.purpose.siteName || '');
      dialog.window.postMessage({ browserid: 'request', siteName }, provider);
    } else if (message.browserid === 'assertion') {
      const purpose = close();
      user = message.email;
      choose(user);
      call(purpose.done, message.assertion);
    }
  });

  window.addEventListener('pagehide', function () {
    if (dialog) close(); // the page cannot receive the answer any more
  });

  function use(wanted) {
    if (mode && mode !== wanted) {
      throw new Error('navigator.id: get and getVerifiedEmail cannot be combined with watch and request');
    }
    mode = wanted;
  }

  function checkWatch(options) {
    for (const name of ['onlogin', 'onlogout', 'onmatch', 'onready']) {
      if (options[name] && typeof options[name] !== 'function') throw new Error(`navigator.id.watch: ${name} is not a function`);
    }
    if (!options.onlogin) throw new Error('navigator.id.watch: onlogin is required');
    if (!options.onlogout && (options.onmatch || 'loggedInUser' in options)) {
      throw new Error('navigator.id.watch: onlogout is required with loggedInUser and onmatch');
    }
  }

  // signedInUser returns loggedInUser, or loggedInEmail, its older name.
  function signedInUser(options) {
    if (options.loggedInEmail !== undefined && options.loggedInUser !== undefined) {
      throw new Error('navigator.id.watch: loggedInEmail is the old name of loggedInUser: use one of them');
    }
    const given = options.loggedInUser === undefined ? options.loggedInEmail : options.loggedInUser;
    if (given === false) return null;
    if (given !== null && given !== undefined && typeof given !== 'string') {
      throw new Error('navigator.id.watch: loggedInUser is not a string, null or undefined');
    }
    return given;
  }

  function get(callback, options) {
    use('get');
    const { siteName } = options || {};
    const none = reason => callback && callback(null, reason);
    open({ siteName, done: callback, cancelled: none, replaced: none });
  }

  navigator.id = {
    watch(options) {
      use('watch');
      if (typeof options !== 'object' || options === null) return;
      checkWatch(options);
      user = signedInUser(options);
      observers = options;
      setTimeout(compare, 0, observers);
    },

    request(options) {
      if (!observers) throw new Error('navigator.id.watch must be called before navigator.id.request');
      use('watch');
      const { siteName, oncancel } = options || {};
      open({ siteName, done: assertion => observers.onlogin(assertion), cancelled: oncancel });
    },

    logout(callback) {
      choose(null);
      setTimeout(function () {
        if (user !== null) signedOut();
        call(callback);
      }, 0);
    },

    get,
    getVerifiedEmail: callback => get(callback),

    // cancel closes the dialog, as the person can. The historic script has no such function.
    cancel() {
      if (dialog) cancel('cancelled');
    },

    _shimmed: true,
  };
})();
