// Verifies test vectors by the npm package email-verification-api. The arguments are files
// in the format vepverify-evp-vectors/1; standard output is an array of
// {name, okay, code}, where code is the stage and the code of its error.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const { verifyEmailToken } = await import(pathToFileURL(process.env.NPM_FOLDER + '/node_modules/email-verification-api/dist/index.js'));

// claimed returns the address that a token claims, for cases without a submitted one: the
// package wants one.
function claimed(token) {
  try {
    return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).email;
  } catch {
    return undefined;
  }
}

function resolveTxt(test) {
  return async (name) => {
    const answer = test.txt[name] ?? { error: 'nxdomain' };
    const codes = { nxdomain: 'ENOTFOUND', servfail: 'ESERVFAIL', timeout: 'ETIMEOUT' };
    if (answer.error) throw Object.assign(new Error(answer.error), { code: codes[answer.error] });
    if (answer.records.length === 0) throw Object.assign(new Error('no data'), { code: 'ENODATA' });
    return answer.records.map((record) => [record]);
  };
}

function fetcher(test) {
  const answers = new Map();
  for (const [url, answer] of Object.entries(test.http)) if (URL.canParse(url)) answers.set(new URL(url).href, answer);
  return async (url, options) => {
    const answer = answers.get(new URL(url).href) ?? { status: 404 };
    if (answer.timeout) throw new DOMException('timeout', 'TimeoutError');
    if (answer.status >= 300 && answer.status < 400 && answer.location && options.redirect === 'error') throw new TypeError('redirect');
    const headers = answer.contentType ? { 'content-type': answer.contentType } : {};
    const body = [204, 205, 304].includes(answer.status) ? null : (answer.body ?? ''); // null as Response wants
    return new Response(body, { status: answer.status, headers });
  };
}

async function run(test, audience) {
  const email = test.email || claimed(test.token);
  return verifyEmailToken({
    token: test.token, nonce: test.nonce, audience,
    email: typeof email === 'string' && email ? email : 'alice@mail.example',
    fetch: fetcher(test), resolveTxt: resolveTxt(test),
    resolveHost: async () => [{ address: '93.184.216.34', family: 4 }], now: () => test.now,
  });
}

const results = [];
for (const file of process.argv.slice(2)) {
  for (const test of JSON.parse(readFileSync(file, 'utf8')).cases) {
    let result;
    for (const audience of [test.audience].flat()) { // the package takes one
      result = await run(test, audience);
      if (result.ok) break;
    }
    results.push({ name: test.name, okay: result.ok, code: result.ok ? '' : result.error.stage + '/' + result.error.code });
  }
}
process.stdout.write(JSON.stringify(results));
