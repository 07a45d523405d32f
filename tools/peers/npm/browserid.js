// Runs browserid-local-verify: its makers of assertions for tests ("make"), or its verifier
// ("verify"). The question is on standard input, the answer on standard output, both JSON.
'use strict';

const { seed } = require('./random.js');
const { promisify } = require('util');
const { text } = require('stream/consumers');
const verifier = require('browserid-local-verify');
const { IdP, Client } = require('browserid-local-verify/testing.js');

// algorithm returns what the makers take for one of our names, such as "RS256".
const algorithm = (name) => ({ algorithm: name.slice(0, 2), keysize: Number(name.slice(2)) });

// start starts an IdP with a domain of ours. The server that it starts is not used.
async function start(alg, domain) {
  const idp = new IdP(algorithm(alg));
  await promisify(idp.start).call(idp);
  idp.details.domain = domain;
  await promisify(idp.stop).call(idp);
  return idp;
}

// make returns the document of an issuer, and assertions for each user's algorithm.
async function make({ issuer, users, count, now, audience }) {
  seed(issuer);
  const idp = await start(issuer, `${issuer.toLowerCase()}.example`);
  const assertions = {};
  for (const user of users) {
    // The duration is in milliseconds, though the makers' own default is 60 * 60.
    const client = new Client({
      ...algorithm(user), idp, email: `user@${idp.domain()}`, certificateIssueTime: now, certificateDuration: 3600000,
    });
    const assertion = promisify(client.assertion).bind(client);
    assertions[user] = [];
    for (let i = 0; i < count; i++) assertions[user].push(await assertion({ audience, issueTime: now - i / 8 }));
  }
  return { document: idp.wellKnown(), assertions };
}

// verifyOne verifies an assertion. The package throws some errors in a callback, where only
// the process can catch them.
const verifyOne = (args) => new Promise((resolve, reject) => {
  process.removeAllListeners('uncaughtException').once('uncaughtException', reject);
  verifier.verify(args, (error, result) => error ? reject(error) : resolve(result));
});

// verify returns the email of each case, or the error.
async function verify({ documents, cases }) {
  // The package's hook that replaces the network.
  const httpRequest = (domain, path, answer) => domain in documents
    ? answer(null, 200, { 'content-type': 'application/json' }, JSON.stringify(documents[domain]))
    : answer(null, 404, {}, '');
  const results = [];
  for (const { text, audience, now } of cases) {
    try {
      const { email } = await verifyOne({ assertion: text, audience, now: new Date(now * 1000), httpRequest });
      results.push({ email });
    } catch (error) {
      results.push({ error: String(error) });
    }
  }
  return results;
}

(async () => {
  const { make: toMake, verify: toVerify } = JSON.parse(await text(process.stdin));
  console.log(JSON.stringify(toMake ? await make(toMake) : await verify(toVerify)));
})();
