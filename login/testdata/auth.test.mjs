// Tests of the auth script in a page made of stubs, run by "go test" (TestScript). The
// tests in e2e/ run it in a real browser.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import vm from 'node:vm';

const source = readFileSync(process.env.AUTH_SCRIPT, 'utf8');
const settled = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

class Form {
  constructor(action, names) {
    this.action = action;
    this.elements = Object.fromEntries(names.map((name) => [name, { value: '' }]));
    this.submit = () => assert.fail('a field hides the method submit');
  }
  getAttribute(name) { return name === 'action' ? this.action : null; }
}

class Element {
  constructor(page, id, { form = null, data = {}, text = '' } = {}) {
    Object.assign(this, { page, id, form, dataset: data, attributes: {}, textContent: text, controls: [], disabled: true });
  }
  replaceChildren(...children) {
    this.controls = children.filter((child) => child instanceof Element);
    this.textContent = children.map((child) => child.textContent ?? child).join('');
  }
  addEventListener(type, handler) { assert.equal(type, 'click'); this.click = handler; }
  focus() { this.page.focused = this; }
  closest(selector) { return selector.includes('#' + this.id) ? this : null; }
  setAttribute(name, value) { this.attributes[name] = value; }
  removeAttribute(name) { delete this.attributes[name]; }
  insertAdjacentElement(where, element) {
    assert.equal(where, 'afterend');
    this.page.elements.push(element);
    if (element.id === 'browserid-message') this.page.inserted = element;
  }
  dispatchEvent(event) {
    (event.type === 'browserid:state' ? this.page.states : this.page.errors).push(event.detail);
    return this.page.listens ? (assert.equal(event.cancelable && event.bubbles, true), false) : true;
  }
}

// A page has elements, a navigator.id, and a server that sends the answers.
class Page {
  constructor({ id, buttons, answers = [], url = 'https://rp.example/app/here?x=1', loading = false, cookies = true, stored = {}, reports = [], headers = {} }) {
    this.elements = buttons.map(([name, options]) => new Element(this, 'browserid-' + name, options));
    Object.assign(this, { answers, requests: [], errors: [], states: [], warnings: [], stored, focused: null, visited: [], submitted: [], handlers: {}, inserted: null, listens: false });
    const page = this;
    const location = new URL(url);
    const header = (name) => headers[name] ?? null;
    const on = (type, handler) => { (page.handlers[type] ||= []).push(handler); };
    const window = {
      navigator: { id },
      console: { warn: (...texts) => page.warnings.push(texts.join(' ')) },
      sessionStorage: {
        getItem: (key) => page.stored[key] ?? null, setItem: (key, value) => { page.stored[key] = value; }, removeItem: (key) => { delete page.stored[key]; },
      },
      ReportingObserver: class { observe() {} takeRecords() { return reports; } disconnect() {} },
      AbortSignal,
      location: {
        href: location.href, origin: location.origin, pathname: location.pathname, search: location.search,
        assign: (to) => page.visited.push(to), reload: () => page.visited.push('reload'),
      },
      document: {
        baseURI: location.href,
        scripts: [{ src: '' }, { src: 'https://idp.example/include.js' }],
        get cookie() { return this.kept || ''; },
        set cookie(text) { this.kept = cookies && !text.includes('Max-Age=0') ? text.split(';')[0] : ''; },
        readyState: loading ? 'loading' : 'complete',
        getElementById: (name) => page.elements.find((e) => e.id === name) || null,
        createElement: () => new Element(page, ''),
        addEventListener: on,
      },
      addEventListener: on,
      CustomEvent: class { constructor(type, init) { Object.assign(this, { type }, init); } },
      HTMLFormElement: class { submit() { page.submitted.push(this); } },
      fetch: async (to, init) => {
        if (init.method === 'HEAD') return { headers: { get: header } };
        page.requests.push({ url: to, method: init.method, accept: init.headers.Accept, credentials: init.credentials, body: Object.fromEntries(init.body) });
        const answer = page.answers.shift();
        if (answer === undefined) throw new TypeError('failed to fetch');
        return { ok: answer[0] === 200, status: answer[0], json: async () => (typeof answer[1] === 'string' ? JSON.parse(answer[1]) : answer[1]) };
      },
      URL, URLSearchParams,
    };
    this.window = window;
    window.window = window;
    vm.runInNewContext(source, window, { filename: 'auth.js' });
  }
  element(name) { return this.elements.find((e) => e.id === 'browserid-' + name); }
  fire(type, event = {}) { for (const handler of this.handlers[type] || []) handler(event); }
  async press(name) {
    const event = { target: this.element(name), prevented: false, preventDefault() { this.prevented = true; } };
    for (const handler of this.handlers.click) handler(event);
    await settled();
    return event.prevented;
  }
  get state() { return this.element('state')?.textContent || ''; }
  async pressState(name) {
    this.element('state').controls.find((control) => control.textContent === name).click();
    await settled();
  }
  get message() { return this.element('message')?.textContent || ''; }
}

// The three kinds of navigator.id. Each answers a press with the assertion, or with
// nothing to cancel.
const shims = {
  'get only': (assertion) => ({ get: (callback) => setImmediate(callback, assertion) }),
  'watch and request only': (assertion) => {
    let told;
    return {
      watch(options) { assert.equal(told, undefined, 'watched twice'); told = options; this.loggedInUser = options.loggedInUser; },
      request(options) {
        assert.ok(told, 'request before watch');
        setImmediate(() => (assertion ? told.onlogin(assertion) : options.oncancel()));
      },
      tell: () => told,
    };
  },
  'both, and logout': (assertion) => {
    const id = shims['watch and request only'](assertion);
    id.get = () => assert.fail('get, although there is watch');
    id.logout = () => { id.loggedOut = (id.loggedOut || 0) + 1; setImmediate(() => id.tell()?.onlogout()); };
    return id;
  },
};

const login = [['login', {}]];
const okay = [200, { status: 'okay', email: 'alice@idp.example' }];
const sent = (url, body) => ({ url, method: 'POST', accept: 'application/json', credentials: 'same-origin', body });

for (const [kind, shim] of Object.entries(shims)) {
  test(`${kind}: login`, async () => {
    const page = new Page({ id: shim('a~b'), buttons: login, answers: [okay] });
    assert.equal(await page.press('login'), true);
    await settled();
    assert.deepEqual(page.requests, [sent('/app/api/login', { assertion: 'a~b' })]);
    assert.deepEqual(page.visited, ['reload']);
    assert.deepEqual([page.errors, page.message], [[], '']);
    assert.deepEqual(page.element('login').attributes, {});
  });

  test(`${kind}: cancelled, and repeated`, async () => {
    const page = new Page({ id: shim(null), buttons: login });
    for (let i = 0; i < 2; i++) {
      await page.press('login');
      assert.match(page.message, /^Signing in was cancelled\./);
      assert.equal(page.state, '');
    }
    assert.deepEqual([page.requests, page.errors, page.visited], [[], [], []]);
  });

  test(`${kind}: refused`, async () => {
    const id = shim('a~b');
    const page = new Page({ id, buttons: login, answers: [[403, { status: 'failure', reason: 'no user with this address' }]] });
    await page.press('login');
    await settled();
    const message = 'There is no account for this address here.';
    assert.deepEqual(page.errors.map((e) => ({ ...e })), [{ status: 403, reason: 'no user with this address', message }]);
    assert.equal(page.message, message);
    assert.deepEqual(page.visited, []);
    assert.equal(page.requests.length, 1);
    if (id.logout) assert.equal(id.loggedOut, 1);
  });

  test(`${kind}: form`, async () => {
    const form = new Form('/app/api/login', ['assertion', 'next', 'submit']);
    const page = new Page({ id: shim('a~b'), buttons: [['login', { form }]], url: 'https://rp.example/app/?next=%2Fapp%2Fmembers' });
    await page.press('login');
    await settled();
    assert.deepEqual([page.submitted, page.requests], [[form], []]);
    assert.deepEqual([form.elements.assertion.value, form.elements.next.value], ['a~b', '/app/members']);
    page.fire('pageshow'); // the user goes back
    assert.equal(form.elements.assertion.value, '');
  });

  test(`${kind}: logout`, async () => {
    const id = shim(null);
    const page = new Page({ id, buttons: [['logout', { data: { user: 'alice@idp.example' } }]], answers: [[200, { status: 'okay', next: '/app/bye' }]] });
    if (id.watch) assert.equal(id.loggedInUser, 'alice@idp.example');
    assert.equal(await page.press('logout'), true);
    await settled();
    assert.deepEqual(page.requests, [sent('/app/api/logout', {})]);
    assert.deepEqual(page.visited, ['https://rp.example/app/bye']);
    if (id.logout) assert.equal(id.loggedOut, 1);
  });
}

test('no navigator.id, one without methods, and one that throws', async () => {
  const broken = { get() { throw new Error('broken'); } };
  for (const id of [undefined, null, {}, { request() {} }, { watch() {} }, broken]) {
    const page = new Page({ id, buttons: login });
    assert.equal(await page.press('login'), true);
    assert.equal(page.errors[0].reason, 'unsupported');
    assert.match(page.message, /could not be loaded/);
  }
});

test('a navigator.id that is loaded after the script', async () => {
  const page = new Page({ buttons: login, answers: [okay], loading: true });
  page.window.navigator.id = shims['watch and request only']('a~b');
  page.fire('DOMContentLoaded');
  await page.press('login');
  await settled();
  assert.deepEqual(page.visited, ['reload']);

  const late = new Page({ buttons: login, answers: [okay] });
  late.window.navigator.id = shims['watch and request only']('a~b');
  await late.press('login');
  await settled();
  assert.deepEqual(late.visited, ['reload']);
});

test('the dialog is opened while the click is handled', async () => {
  let asked = false;
  const page = new Page({ id: { get() { asked = true; } }, buttons: login });
  page.press('login'); // without await
  assert.equal(asked, true);
});

test('an assertion without a press is ignored, and so is a second one', async () => {
  const id = shims['both, and logout']('a~b');
  const page = new Page({ id, buttons: login, answers: [okay, okay, okay] });
  id.tell().onlogin('c~d');
  await settled();
  assert.deepEqual(page.requests, []);
  await page.press('login');
  await settled();
  id.tell().onlogin('e~f');
  await settled();
  assert.equal(page.requests.length, 1);
});

test('loggedInUser', () => {
  for (const [buttons, want] of [
    [login, null],
    [[['logout', {}]], undefined],
    [[['logout', { data: { user: 'alice@idp.example' } }]], 'alice@idp.example'],
  ]) {
    const id = shims['watch and request only']('a~b');
    new Page({ id, buttons });
    assert.equal(id.loggedInUser, want);
  }
});

test('a logout elsewhere signs out the user that the page names', async () => {
  for (const [data, requests] of [[{ user: 'alice@idp.example' }, 1], [{}, 0]]) {
    const id = shims['watch and request only'](null);
    const page = new Page({ id, buttons: [['logout', { data }]], answers: [[200, { status: 'okay' }]] });
    id.tell().onlogout();
    await settled();
    assert.equal(page.requests.length, requests);
  }
});

test('the next page', async () => {
  for (const [data, url, body, answered, visited] of [
    [{}, 'https://rp.example/app/', undefined, '/app/welcome', ['https://rp.example/app/welcome']],
    [{}, 'https://rp.example/app/?next=%2Fapp%2Fm', '/app/m', '/app/m', ['https://rp.example/app/m']],
    [{ next: '/app/d' }, 'https://rp.example/app/?next=%2Fapp%2Fm', '/app/d', '/app/d', ['https://rp.example/app/d']],
    [{}, 'https://rp.example/app/?next=https://evil.example', 'https://evil.example', undefined, ['reload']],
    [{}, 'https://rp.example/app/', undefined, 'https://evil.example/', ['reload']],
    [{}, 'https://rp.example/app/', undefined, '//evil.example', ['reload']],
    [{}, 'https://rp.example/app/', undefined, 'javascript:alert(1)', ['reload']],
    [{}, 'https://rp.example/app/?a', undefined, '/app/?a#b', ['https://rp.example/app/?a#b', 'reload']],
  ]) {
    const page = new Page({ id: shims['get only']('a~b'), buttons: [['login', { data }]], url, answers: [[200, { status: 'okay', next: answered }]] });
    await page.press('login');
    await settled();
    assert.equal(page.requests[0].body.next, body);
    assert.deepEqual(page.visited, visited);
  }
});

test('messages', async () => {
  for (const [answer, message] of [
    [undefined, 'The site could not be reached. Please check your connection and try again.'],
    [[503, { status: 'failure', reason: 'undecided, try again later', undecided: true }], 'Your address could not be checked just now. Please try again in a moment.'],
    [[403, { status: 'failure', reason: 'expired' }], 'Signing in took too long, or the clock of your device is wrong. Please try again.'],
    [[403, { status: 'failure', reason: 'untrusted issuer: idp.example does not support BrowserID, and there is no fallback' }], 'This site does not trust the identity provider that certified your address. Please sign in with another address, or tell the site\'s operator.'],
    [[403, { status: 'failure', reason: 'accounts are by invitation' }], 'You could not be signed in: accounts are by invitation.'],
    [[403, { status: 'failure', reason: 'constructor' }], 'You could not be signed in: constructor.'],
    [[502, 'Bad gateway'], 'The site has a problem just now. Please try again in a moment.'],
    [[200, 'null'], 'The site has a problem just now. Please try again in a moment.'],
    [[429, { reason: { code: 7 } }], 'The site has a problem just now. Please try again in a moment.'],
    [[200, '<html>'], 'The site has a problem just now. Please try again in a moment.'],
  ]) {
    const page = new Page({ id: shims['get only']('a~b'), buttons: login, answers: answer && [answer] });
    await page.press('login');
    await settled();
    assert.equal(page.message, message);
    assert.equal(page.errors[0].message, message);
    assert.deepEqual([page.inserted.id, page.inserted.attributes.role, page.inserted.attributes['aria-live']], ['browserid-message', 'alert', 'assertive']);
    await page.press('login');
    assert.deepEqual(page.elements.filter((e) => e.id === 'browserid-message').length, 1);
  }
});

test('a page with an element for messages, and one that shows them itself', async () => {
  const page = new Page({ id: {}, buttons: [...login, ['message', {}]] });
  await page.press('login');
  assert.match(page.element('message').textContent, /could not be loaded/);
  assert.equal(page.inserted, null);

  const own = new Page({ id: shims['get only']('a~b'), buttons: login }); // no response
  own.listens = true;
  await own.press('login');
  await settled();
  assert.equal(own.errors.length, 1);
  assert.equal(own.message, '');
  assert.equal(own.state, '');
  assert.deepEqual(own.states.map((state) => state.message).filter(Boolean), ['Waiting for the sign-in window.', 'Signing in…']);
});

test('one request at a time', async () => {
  let answer;
  const page = new Page({ id: { get: (callback) => callback('a~b') }, buttons: login });
  page.window.fetch = () => { page.requests.push({}); return new Promise((resolve) => { answer = resolve; }); };
  await page.press('login');
  assert.equal(page.element('login').attributes['aria-busy'], 'true');
  await page.press('login');
  assert.equal(page.requests.length, 1);
  answer({ ok: true, status: 200, json: async () => ({ status: 'okay' }) });
  await settled();
  assert.deepEqual(page.visited, ['reload']);
  assert.deepEqual(page.element('login').attributes, {});
});

test('a refused logout is shown, and can be repeated', async () => {
  const page = new Page({ buttons: [['logout', {}]], answers: [[503, { status: 'failure', reason: 'service unavailable' }], [200, { status: 'okay' }]] });
  await page.press('logout');
  assert.match(page.message, /try again/);
  await page.press('logout');
  await settled();
  assert.deepEqual(page.visited, ['reload']);
});

test('a reported logout is not reported back', async () => {
  let tell;
  const id = { watch: (options) => { tell = options.onlogout; }, request() {}, told: 0, logout() { this.told++; } };
  const page = new Page({ id, buttons: [['logout', { data: { user: 'a' } }]] }); // no response
  await page.press('logout');
  tell(); // late
  await settled();
  assert.deepEqual([id.told, page.requests.length], [1, 2]);
});

test('a form that posts to the logout route needs no script', async () => {
  const id = shims['both, and logout'](null);
  const page = new Page({ id, buttons: [['logout', { form: new Form('/app/api/logout', []), data: { user: 'a' } }]] });
  assert.equal(await page.press('logout'), false); // the browser submits the form
  await settled();
  assert.deepEqual([page.requests, id.loggedOut], [[], 1]);

  const other = new Page({ buttons: [['logout', { form: new Form('/app/search', []) }]], answers: [[200, { status: 'okay' }]] });
  assert.equal(await other.press('logout'), true);
  assert.equal(other.requests.length, 1);
});

test('clicks on other elements are ignored', () => {
  const page = new Page({ id: {}, buttons: login });
  const event = { target: { closest: () => null }, preventDefault: () => assert.fail('prevented') };
  for (const handler of page.handlers.click) handler(event);
});

// The Go tests check that these are accepted. This resolves them by the URL standard.
test('each accepted next page stays at its origin', () => {
  const all = JSON.parse(readFileSync(process.env.NEXT, 'utf8'));
  assert.ok(all.length > 10);
  for (const next of all) {
    for (const base of ['https://rp.example/', 'https://rp.example/a/b?c#d', 'https://rp.example//x']) {
      assert.equal(new URL(next, base).origin, 'https://rp.example', next);
      assert.ok(!new URL(next, base).pathname.startsWith('//'), next);
    }
  }
});

// The state while the dialog is open --------------------------------------------------

// waitingPage returns a page with a navigator.id that does nothing until the test calls it.
function waitingPage(options = {}) {
  const id = {
    asked: 0, closed: 0, logout() {},
    watch(observers) { this.onlogin = observers.onlogin; },
    request({ oncancel }) { this.asked++; this.oncancel = oncancel; },
    cancel() { this.closed++; this.oncancel('cancelled'); },
  };
  return [new Page({ id, buttons: login, ...options }), id];
}

test('the page shows that it waits, and can show or close the dialog', async () => {
  const [page, id] = waitingPage();
  await page.press('login');
  assert.match(page.state, /^Waiting for the sign-in window\. Show it Cancel$/);
  assert.equal(page.element('login').attributes['aria-busy'], 'true');
  assert.deepEqual([page.element('state').attributes.role, page.element('state').attributes['aria-live']], ['status', 'polite']);
  await page.pressState('Show it');
  await page.press('login');
  assert.equal(id.asked, 3);
  await page.pressState('Cancel');
  assert.deepEqual([id.closed, page.state, page.message], [1, '', 'Signing in was cancelled.']);
  assert.equal(page.focused, page.element('login'));
  assert.deepEqual(page.element('login').attributes, {});
  id.onlogin('a~b'); // from a window that was not closed
  await settled();
  assert.deepEqual([page.requests, page.state], [[], '']);
});

test('the page can stop waiting for a navigator.id that cannot close its dialog', async () => {
  const [page, id] = waitingPage();
  delete id.cancel;
  await page.press('login');
  await page.pressState('Cancel');
  assert.deepEqual([page.state, page.message], ['', 'Signing in was cancelled.']);
});

test('how the dialog ends', async () => {
  for (const [reason, headers, error, message] of [
    ['cancelled', {}, undefined, /^Signing in was cancelled\.$/],
    [undefined, {}, undefined, /^Signing in was cancelled\..* allow pop-ups/],
    ['blocked', {}, 'blocked', /^Your browser blocked the sign-in window: allow pop-ups for this site and try again\.$/],
    ['lost', {}, 'lost', /closed before it could answer.* allow pop-ups/],
    ['lost', { 'Cross-Origin-Opener-Policy': 'same-origin-allow-popups' }, 'lost', /closed before it could answer/],
    ['lost', { 'Cross-Origin-Opener-Policy': 'same-origin; report-to="x"' }, 'opener-policy', /Cross-Origin-Opener-Policy/],
  ]) {
    const [page, id] = waitingPage({ headers });
    await page.press('login');
    id.oncancel(reason);
    await settled();
    assert.match(page.message, message);
    assert.equal(page.errors[0]?.reason, error);
    assert.deepEqual(page.element('login').attributes, {});
    if (error === 'blocked' || error === 'lost') {
      await page.pressState('Try again');
      assert.deepEqual([id.asked, page.message], [2, '']);
      assert.match(page.state, /^Waiting/);
    } else {
      assert.equal(page.state, '');
    }
    assert.equal(page.warnings.length, error === 'opener-policy' ? 1 : 0);
  }
});

test('a dialog that another request replaces, or that was just closed, ends no attempt', async () => {
  const [page, id] = waitingPage({ answers: [okay] });
  const { request } = id;
  await page.press('login');
  id.request = function (options) {
    if (this.oncancel) this.oncancel('cancelled'); // the window was closed a moment ago
    request.call(this, options);
  };
  const first = id.oncancel;
  await page.press('login');
  first('replaced');
  await settled();
  assert.match(page.state, /^Waiting/);
  id.onlogin('a~b');
  await settled();
  assert.deepEqual(page.visited, ['reload']);
});

test('going back', async () => {
  const [page] = waitingPage();
  await page.press('login');
  page.fire('pageshow', { persisted: true });
  assert.deepEqual([page.state, page.element('login').attributes, page.visited], ['', {}, []]);

  const after = new Page({ id: shims['get only']('a~b'), buttons: login, answers: [[200, { status: 'okay', next: '/app/m' }]] });
  await after.press('login');
  await settled();
  after.fire('pageshow', { persisted: true });
  assert.deepEqual(after.visited, ['https://rp.example/app/m', 'reload']); // it shows the state before the login
});

test('the script enables the buttons, and removes the text for browsers that do not run it', () => {
  const page = new Page({ id: shims['get only'](null), buttons: [...login, ['logout', {}], ['state', { text: 'Loading.' }]] });
  assert.deepEqual(['login', 'logout'].map((name) => page.element(name).disabled), [false, false]);
  assert.equal(page.state, '');
});

test('no script defines navigator.id', async () => {
  const report = (effectiveDirective, blockedURL, disposition = 'enforce') => ({ body: { effectiveDirective, blockedURL, disposition } });
  const script = report('script-src-elem', 'https://idp.example/include.js');
  for (const [reports, message, warning] of [
    [[], /unreachable/, /does not serve the script/],
    [[report('img-src', 'https://idp.example/x'), report('script-src-elem', 'inline'), report('script-src-elem', 'https://extension.example/x.js'), report('script-src-elem', 'https://idp.example/include.js', 'report')], /unreachable/, /does not serve the script/],
    [[script], /Content-Security-Policy forbids it/, /has blocked https:\/\/idp\.example\/include\.js/],
  ]) {
    const page = new Page({ buttons: login, reports, loading: true });
    page.fire('DOMContentLoaded');
    assert.equal(page.message, '');
    page.fire('load');
    assert.match(page.message, message);
    assert.match(page.warnings[0], warning);
    await page.press('login'); // still
    assert.match(page.message, message);
  }
  const signedIn = new Page({ buttons: [['logout', {}]] });
  assert.equal(signedIn.message, '');
});

test('cookies', async () => {
  const off = new Page({ id: { get: () => assert.fail('a dialog') }, buttons: login, cookies: false });
  await off.press('login');
  assert.match(off.message, /blocks cookies/);
  assert.equal(off.errors[0].reason, 'no-cookies');

  const stored = {};
  const page = new Page({ id: shims['get only']('a~b'), buttons: login, answers: [okay], stored });
  await page.press('login');
  await settled();
  const after = (buttons) => new Page({ id: shims['get only']('a~b'), buttons, stored: { ...stored } });
  const lost = after(login);
  assert.match(lost.message, /does not show that you are signed in/);
  assert.deepEqual([lost.errors[0].reason, lost.stored, lost.warnings.length], ['no-session', {}, 1]);
  for (const fine of [after([['logout', {}]]), after([...login, ['logout', {}]])]) {
    assert.deepEqual([fine.message, fine.stored], ['', {}]);
  }
  const old = new Page({ id: shims['get only']('a~b'), buttons: login, stored: { 'browserid-login': String(Date.now() - 61000) } });
  assert.equal(old.message, '');
});

test('the site does not accept the origin of the page', async () => {
  const page = new Page({ id: shims['get only']('a~b'), buttons: login, answers: [[403, { status: 'failure', reason: 'cross-origin request refused' }]] });
  await page.press('login');
  await settled();
  assert.match(page.message, /https:\/\/rp\.example, the address of this page/);
});
