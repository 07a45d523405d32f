// Verifies pools of assertions with browserid-local-verify. The first line of standard
// input has the pools. Each further line requests some milliseconds of work on one pool.
// Each line is answered by a line.
'use strict';

const readline = require('readline');
const { createRequire } = require('module');
const load = createRequire(process.argv[2] + '/');
const verifier = load('browserid-local-verify');

let setup;
const turns = {};

// The package's hook that replaces the network. It answers from memory.
function httpRequest(domain, path, answer) {
  answer(null, 200, { 'content-type': 'application/json' }, setup.documents[domain]);
}

function verify(assertion, done) {
  verifier.verify(
    { assertion, audience: setup.audience, now: new Date(setup.now), httpRequest }, done);
}

function work(pool, milliseconds, done) {
  const texts = setup.pools[pool];
  const begin = process.hrtime.bigint();
  const limit = BigInt(Math.round(milliseconds * 1e6));
  let count = 0;
  (function next() {
    const turn = turns[pool] = ((turns[pool] || 0) + 1) % texts.length;
    verify(texts[turn], (err, result) => {
      if (err) return done({ error: String(err) });
      if (!result.email) return done({ error: 'no email' });
      count++;
      const took = process.hrtime.bigint() - begin;
      if (took < limit) return setImmediate(next);
      done({ count, nanoseconds: Number(took) });
    });
  })();
}

function native() {
  try { load('bignum'); return true; } catch (e) { return false; }
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const message = JSON.parse(line);
  if (!setup) {
    setup = message;
    const { version } = load('browserid-local-verify/package.json');
    return console.log(JSON.stringify({ version, node: process.version, native: native() }));
  }
  work(message.pool, message.milliseconds, (answer) => console.log(JSON.stringify(answer)));
});
